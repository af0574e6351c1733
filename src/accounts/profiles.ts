/** What people tell of themselves: a name, an address, a few words and a picture. */
import type { Bus } from "../chat/ports.ts";
import type { UserId } from "../shared/ids.ts";
import { BIO_MAX_LENGTH } from "../shared/limits.ts";
import { codePoints, strip } from "../shared/text.ts";
import { emailFault, normalEmail, type EmailFault } from "./email.ts";
import { withoutMarkup } from "./markup.ts";
import { canonicalName, keysOf, nameFault, nameKey, type NameFault } from "./names.ts";
import type { Account, AccountStore, PictureFault, Pictures } from "./ports.ts";
import {
  nameTooLong,
  wrongExtension,
  type NameTooLong,
  type Upload,
  type WrongExtension,
} from "./uploads.ts";

/** The texts replace those before; without a picture the one before stays. */
export interface ProfileForm {
  username: string;
  email: string;
  bio: string;
  picture: Upload | null;
}

/** NUL or half of a surrogate pair, which storage cannot hold. */
type BadCharacters = { fault: "bad_characters" };
type Taken = { fault: "taken" };

/** What is wrong with each field. */
export interface ProfileFaults {
  username?: NameFault | Taken | BadCharacters;
  email?: EmailFault | Taken | BadCharacters;
  bio?: { fault: "too_long"; length: number } | BadCharacters;
  image?: NameTooLong | WrongExtension | { fault: PictureFault | "empty" };
}

export interface Profiles {
  /** By the name exactly as it is; null for an account that is gone. */
  byName(name: string): Promise<Account | null>;
  /** Everything or nothing. A new name and picture are at once those of everything that the person has written. */
  edit(id: UserId, form: ProfileForm): Promise<{ account: Account } | { refused: ProfileFaults }>;
}

type Texts = Record<"name" | "email" | "bio", string>;
type Kept = { path: string | null } | { fault: NonNullable<ProfileFaults["image"]> };

export function createProfiles(deps: { store: AccountStore; pictures: Pictures; bus: Bus }): Profiles {
  const { store, pictures, bus } = deps;

  async function nameProblem(id: UserId, name: string): Promise<ProfileFaults["username"] | null> {
    if (!isStorable(name)) return BAD_CHARACTERS;
    return nameFault(name) ?? ((await store.nameTaken(keysOf(name), id)) ? TAKEN : null);
  }

  async function emailProblem(id: UserId, email: string): Promise<ProfileFaults["email"] | null> {
    if (email === "") return null;
    if (!isStorable(email)) return BAD_CHARACTERS;
    return emailFault(email) ?? ((await store.emailTaken(email, id)) ? TAKEN : null);
  }

  async function keep(upload: Upload): Promise<Kept> {
    const tooLong = nameTooLong(upload);
    if (tooLong) return { fault: tooLong };
    if (upload.bytes.byteLength === 0) return { fault: { fault: "empty" } };
    const kept = await pictures.keep(upload.bytes);
    if ("fault" in kept) return { fault: kept };
    const misnamed = wrongExtension(upload);
    if (!misnamed) return kept;
    await pictures.discard(kept.path);
    return { fault: misnamed };
  }

  async function faultsOf(id: UserId, { name, email, bio }: Texts, kept: Kept): Promise<ProfileFaults> {
    const [username, address, words] = [
      await nameProblem(id, name),
      await emailProblem(id, email),
      bioProblem(bio),
    ];
    return {
      ...(username && { username }),
      ...(address && { email: address }),
      ...(words && { bio: words }),
      ...("fault" in kept && { image: kept.fault }),
    };
  }

  /** Null when somebody else was quicker to take the name, or the account is gone. */
  async function save(
    id: UserId,
    { name, email, bio }: Texts,
    avatar: string | null,
  ): Promise<Account | null> {
    const before = await store.byId(id);
    if (!before || before.deletedAt !== null) return null;
    const changes = { name, ...keysOf(name), email, bio: strip(withoutMarkup(bio)) };
    const account = await store.update(id, avatar === null ? changes : { ...changes, avatar });
    if (account && avatar !== null && before.avatar !== null) await pictures.discard(before.avatar);
    return account;
  }

  return {
    async byName(name) {
      const found = await store.byNameKey(nameKey(name));
      return found?.name === name && found.deletedAt === null ? found : null;
    },

    async edit(id, { username, email, bio, picture }) {
      const texts = { name: canonicalName(username), email: normalEmail(email), bio: strip(bio) };
      const kept = picture ? await keep(picture) : { path: null };
      const path = "path" in kept ? kept.path : null;
      const faults = await faultsOf(id, texts, kept);
      const account = Object.keys(faults).length === 0 ? await save(id, texts, path) : null;
      if (account) {
        bus.publish({ type: "account.changed", userId: id, name: account.name, avatar: account.avatar });
        return { account };
      }
      if (path !== null) await pictures.discard(path);
      return { refused: Object.keys(faults).length === 0 ? { username: TAKEN } : faults };
    },
  };
}

/** Whether the fault is ours and not theirs. */
export function mayTryAgain({ image }: ProfileFaults): boolean {
  return image?.fault === "unavailable";
}

const TAKEN: Taken = { fault: "taken" };
const BAD_CHARACTERS: BadCharacters = { fault: "bad_characters" };

function bioProblem(bio: string): ProfileFaults["bio"] | null {
  const length = codePoints(bio);
  if (length > BIO_MAX_LENGTH) return { fault: "too_long", length };
  return isStorable(bio) ? null : BAD_CHARACTERS;
}

function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}
