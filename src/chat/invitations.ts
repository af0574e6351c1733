/** The way into a private room: a link that a moderator makes, for as long and as many as they choose. */
import type { InvitationId } from "../shared/ids.ts";
import { signedIn, type Actor, type Moderator } from "./access.ts";
import type { Clock, Invitation, InvitationStore, RateLimit, Seal } from "./ports.ts";
import { Refused } from "./refusal.ts";
import { spend } from "./spend.ts";

/** What a moderator sets; null: without an end, or for anyone who has the link. */
export interface Terms {
  days: number | null;
  uses: number | null;
}

export interface Invitations {
  /** Refuses an exhausted rate, and `forbidden` in a direct room. */
  create(moderator: Moderator, terms: Terms): Promise<void>;
  /** The newest first, each with the token of its link. */
  list(moderator: Moderator): Promise<(Invitation & { token: string; isOpen: boolean })[]>;
  revoke(moderator: Moderator, id: InvitationId): Promise<void>;
  /** What whoever holds a link may know. Refuses `invitation_over` for one that was never made. */
  look(token: string): Promise<Invitation & { isOpen: boolean }>;
  /** Into the room; answers with its slug. Refuses `invitation_over`, and an exhausted rate. */
  accept(actor: Actor, token: string): Promise<string>;
}

const TOKEN = /^([1-9]\d{0,14})-([\w-]{16,64})$/;
const DAY = 24 * 60 * 60 * 1000;

export function createInvitations(deps: {
  store: InvitationStore;
  seal: Seal;
  clock: Clock;
  rate: RateLimit;
}): Invitations {
  const { store, seal, clock, rate } = deps;

  const isOpen = ({ isRevoked, expiresAt, usesMax, uses }: Invitation) =>
    !isRevoked && (expiresAt === null || expiresAt > clock.now()) && (usesMax === null || uses < usesMax);

  /** A restored or a new database counts from an earlier number again: the time tells its invitations apart. */
  const sealed = ({ id, createdAt }: Invitation) => `invitation ${id} ${createdAt}`;
  const tokenOf = (made: Invitation) => `${made.id}-${seal.mark(sealed(made))}`;

  async function behind(token: string): Promise<Invitation | null> {
    const [, id, mark = ""] = TOKEN.exec(token) ?? [];
    const found = id === undefined ? null : await store.find(Number(id) as InvitationId);
    return found && seal.matches(sealed(found), mark) ? found : null;
  }

  return {
    async create({ room, author }, { days, uses: usesMax }) {
      await spend(rate, author);
      const createdAt = clock.now();
      const expiresAt = days === null ? null : createdAt + days * DAY;
      await store.create({ room: room.id, createdBy: author, createdAt, expiresAt, usesMax });
    },

    async list({ room }) {
      const made = await store.ofRoom(room.id);
      return made.map((one) => ({ ...one, token: tokenOf(one), isOpen: isOpen(one) }));
    },

    revoke: ({ room }, id) => store.revoke(room.id, id),

    async look(token) {
      const found = await behind(token);
      if (!found) throw new Refused("invitation_over");
      return { ...found, isOpen: isOpen(found) };
    },

    async accept(actor, token) {
      const { id: user } = signedIn(actor);
      await spend(rate, user);
      const found = await behind(token);
      const accepted = found ? await store.accept(found.id, user, clock.now()) : "over";
      if (typeof accepted === "string") throw new Refused("invitation_over");
      return accepted.slug;
    },
  };
}
