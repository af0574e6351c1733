/** The rules of the product, each given what it needs. */
import { createAccounts } from "../accounts/accounts.ts";
import { createAudit } from "../accounts/audit.ts";
import { createCredentials } from "../accounts/credentials.ts";
import { createPasswords } from "../accounts/passwords.ts";
import type { Pictures } from "../accounts/ports.ts";
import { createProfiles } from "../accounts/profiles.ts";
import { createSessions } from "../accounts/sessions.ts";
import { createStanding } from "../accounts/standing.ts";
import { createAccess } from "../chat/access.ts";
import type { createFeed } from "../chat/feed.ts";
import { createInvitations } from "../chat/invitations.ts";
import { createMembers } from "../chat/members.ts";
import { createMessages } from "../chat/messages.ts";
import type { Bus, Clock, KeyMaker, Presence } from "../chat/ports.ts";
import { createPresence } from "../chat/presence.ts";
import { createRecent } from "../chat/recent.ts";
import { createRooms } from "../chat/rooms.ts";
import { createStaffActs } from "../chat/staff.ts";
import { createWriter } from "../chat/writer.ts";
import type { Config } from "../config.ts";
import { secretText } from "../http/csrf.ts";
import { createSeal } from "../http/seal.ts";
import { loadCommonPasswords } from "../resources.ts";
import type { ClientKey } from "../shared/ids.ts";
import type { Cache } from "./cache.ts";
import type { Stores } from "./stores.ts";

export type Domain = ReturnType<typeof createDomain>;

export const clock: Clock = { now: () => Date.now() };

export interface DomainDeps {
  config: Config;
  stores: Stores;
  pictures: Pictures;
  createLimit: Cache["createLimit"];
  bus: Bus;
  secretKey: string;
  onFault: (what: string, error: unknown) => void;
  createFeed: typeof createFeed;
  /** Who is here on this node becomes who is here on all of them. */
  together: (own: Presence) => Presence;
}

export function createDomain(deps: DomainDeps) {
  const { config, stores, pictures, createLimit, bus, secretKey, onFault } = deps;
  const passwords = createPasswords(config.passwordRules, loadCommonPasswords);
  const sessions = createSessions({ store: stores.sessions, clock, secrets: { text: secretText }, bus });
  const audit = createAudit({ log: stores.audit, clock });
  const standing = createStanding({ store: stores.accounts, sessions, bus, audit });

  const keys = createKeys();
  const access = createAccess(stores.rooms);
  const roomRate = createLimit("room", config.roomRate);
  const slugs = config.roomSlug;
  const rooms = createRooms({ store: stores.rooms, bus, clock, keys, rate: roomRate, slugs });
  const messageRate = createLimit("message", config.messageRate);
  const maxLength = config.messageMaxLength;
  const store = stores.messages;
  const writer = createWriter({
    store,
    bus,
    afterTurn: (task) => void setImmediate(task),
    onFailure: (error) => onFault("messages not stored", error),
  });
  const messages = createMessages({ store, writer, access, clock, rate: messageRate, maxLength });

  return {
    accounts: createAccounts({ store: stores.accounts, passwords, clock }),
    profiles: createProfiles({ store: stores.accounts, pictures, bus }),
    credentials: createCredentials({ store: stores.accounts, passwords, sessions, pictures, bus, clock }),
    sessions,
    audit,
    keys,
    access,
    rooms,
    members: createMembers({ store: stores.members, bus }),
    invitations: createInvitations({
      store: stores.invitations,
      seal: createSeal(secretKey),
      clock,
      rate: createLimit("invitation", config.invitationRate),
    }),
    messages,
    writer,
    feed: deps.createFeed({ store, recent: createRecent({ store, bus }) }),
    presence: deps.together(createPresence({ clock, bus, ...config.presence })),
    acts: createStaffActs({ standing, rooms, messages, store, audit }),
  };
}

function createKeys(): KeyMaker {
  return {
    clientKey: () => secretText(22) as ClientKey,
    slug: () => Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex"),
  };
}
