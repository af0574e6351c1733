/** What becomes of a user and their profile, and of an author whose account is gone. */
import { djangoHash } from "../accounts/django.ts";
import { emailFault, normalEmail } from "../accounts/email.ts";
import { NO_PASSWORD } from "../accounts/passwords.ts";
import type { Named } from "./names.ts";
import type { NewPerson, OriginalUser } from "./ports.ts";

/** `notes`: what was left out or changed, and why. */
export interface Mapped<T> {
  made: T;
  notes: string[];
}

/** Who has an address already, in lower case; those that are given are added. */
export type Addresses = Set<string>;

export function personOf(
  user: OriginalUser,
  named: Named,
  addresses: Addresses,
  now: number,
): Mapped<NewPerson> {
  const [email, whyNoEmail] = emailOf(user.email, addresses);
  const [passwordHash, whyNoPassword] = passwordOf(user.password);
  const { why, ...name } = named;
  const notes = [
    why && `renamed to ${JSON.stringify(name.name)}: ${why}`,
    whyNoEmail && `without its e-mail address: ${whyNoEmail}`,
    whyNoPassword && `without a password: ${whyNoPassword}`,
    user.joinedAt === null && "registered today: its time cannot be read",
  ].filter((note) => typeof note === "string");
  return {
    made: {
      kind: "user",
      original: String(user.id),
      ...name,
      email,
      bio: user.profile?.bio ?? "",
      avatar: null,
      passwordHash,
      isActive: user.isActive,
      // Whoever is above staff is staff too.
      isStaff: user.isStaff || user.isSuperuser,
      isSuperuser: user.isSuperuser,
      createdAt: user.joinedAt ?? now,
      lastSeenAt: user.profile?.lastSeenAt ?? null,
      deletedAt: null,
    },
    notes,
  };
}

/** As an account that was deleted here: its name stands under its messages, and stays taken. */
export function authorOf(original: string, { name, nameKey, nameLook }: Named, now: number): NewPerson {
  return {
    kind: "author",
    original,
    name,
    nameKey,
    nameLook,
    email: "",
    bio: "",
    avatar: null,
    passwordHash: NO_PASSWORD,
    isActive: false,
    isStaff: false,
    isSuperuser: false,
    createdAt: now,
    lastSeenAt: null,
    deletedAt: now,
  };
}

function emailOf(raw: string, addresses: Addresses): [email: string, why: string | null] {
  const email = normalEmail(raw);
  if (email === "") return ["", null];
  if (emailFault(email)) return ["", "it is none"];
  if (addresses.has(email.toLowerCase())) return ["", "another account has it"];
  addresses.add(email.toLowerCase());
  return [email, null];
}

/** Who has none cannot log in until they are given one. */
function passwordOf(hash: string): [hash: string, why: string | null] {
  if (djangoHash(hash)) return [hash, null];
  return [NO_PASSWORD, hash.startsWith(NO_PASSWORD) ? "it has none" : "it is not of the kind pbkdf2_sha256"];
}
