import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createAudit } from "../accounts/audit.ts";
import type { Account, AccountRank } from "../accounts/ports.ts";
import { createSessions, type Sessions } from "../accounts/sessions.ts";
import { createStanding } from "../accounts/standing.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { createMemoryLimit } from "../limits/memory.ts";
import type { ClientKey, MessageId } from "../shared/ids.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import {
  addAccount,
  addPerson,
  openSqliteStores,
  sessionOf,
  signIn,
  unique,
  type OpenStores,
} from "../testing/stores/open.ts";
import { writerOver } from "../testing/stores/writer.ts";
import { asStaff, asSuperuser, createAccess, type Access, type Staff } from "./access.ts";
import { createMessages, type Messages } from "./messages.ts";
import type { BusEvent } from "./ports.ts";
import { Refused } from "./refusal.ts";
import { createRooms } from "./rooms.ts";
import { createStaffActs, type StaffActs } from "./staff.ts";

const clock = { now: () => 4711 };

let stores: OpenStores;
let access: Access;
let acts: StaffActs;
let messages: Messages;
let sessions: Sessions;
let ann: Account;
/** Entries in the log when the test began. */
let logged: number;
let published: BusEvent[];

beforeAll(async () => {
  stores = await openSqliteStores();
  access = createAccess(stores.rooms);
});
afterAll(() => stores.close());

beforeEach(async () => {
  published = [];
  logged = (await entries()).length;
  const bus = createMemoryBus();
  bus.subscribe((event) => void published.push(event));
  const audit = createAudit({ log: stores.audit, clock });
  const secrets = { text: (length: number) => unique("s").padEnd(length, "x") };
  sessions = createSessions({ store: stores.sessions, clock, secrets, bus });
  const standing = createStanding({ store: stores.accounts, sessions, bus, audit });
  const rate = createMemoryLimit(1_000_000, 10);
  const writer = writerOver(stores.messages, bus);
  messages = createMessages({ store: stores.messages, writer, access, clock, rate, maxLength: 1000 });
  const keys = { clientKey: () => unique("key") as ClientKey, slug: () => unique("room") };
  const rooms = createRooms({ store: stores.rooms, bus, clock, keys, rate, slugs: /^[a-z0-9-]+$/ });
  acts = createStaffActs({ standing, rooms, messages, store: stores.messages, audit });
  ann = await addAccount(stores);
});

describe("who may do what to whom:", () => {
  const everything: Record<string, (staff: Staff, name: string) => Promise<unknown>> = {
    mute: (staff, name) => acts.mute(staff, name, true),
    unmute: (staff, name) => acts.mute(staff, name, false),
    disable: (staff, name) => acts.disable(staff, name, true),
    enable: (staff, name) => acts.disable(staff, name, false),
    "end the sessions of": (staff, name) => acts.endSessions(staff, name),
  };
  const ranks: Record<string, (staff: Staff, name: string) => Promise<unknown>> = {
    "make staff of": async (staff, name) => acts.grant(asSuperuser(staff), name, "staff"),
    "make a superuser of": async (staff, name) => acts.grant(asSuperuser(staff), name, "superuser"),
    "take the staff rank of": async (staff, name) => acts.take(asSuperuser(staff), name, "staff"),
    "take the superuser rank of": async (staff, name) => acts.take(asSuperuser(staff), name, "superuser"),
  };

  for (const [words, act] of Object.entries(everything)) {
    test(`staff ${words} people, superusers ${words} staff as well, and nobody themselves`, async () => {
      const allowed: string[] = [];
      for (const rank of ["staff", "superuser"] as const) {
        for (const other of ["user", "staff", "superuser"] as const) {
          const { name } = await accountOf(other);
          const outcome = await act(await staffOf(rank), name).then(() => "done", codeOf);
          if (outcome === "done") allowed.push(`${rank} ${other}`);
          else expect(outcome).toBe("forbidden");
        }
        const self = await staffOf(rank);
        expect(await act(self, self.actor.name).catch(codeOf)).toBe("forbidden");
      }
      expect(allowed).toEqual(["staff user", "superuser user", "superuser staff", "superuser superuser"]);
    });
  }

  for (const [words, act] of Object.entries(ranks)) {
    test(`only superusers ${words} others, and nobody themselves`, async () => {
      expect(await act(await staffOf("staff"), ann.name).catch(codeOf)).toBe("forbidden");
      const self = await staffOf("superuser");
      await act(self, ann.name);
      expect(await act(self, self.actor.name).catch(codeOf)).toBe("forbidden");
    });
  }

  test("guests and people are no staff", () => {
    expect(() => asStaff({ kind: "guest" }, "")).toThrow("login_required");
    expect(() => asStaff(actorOf(ann, "user"), "")).toThrow("forbidden");
    expect(asStaff(actorOf(ann, "staff"), "").actor.name).toBe(ann.name);
  });

  test("a name that nobody has is not found, nor is one whose account is gone", async () => {
    const staff = await staffOf("staff");
    expect(await acts.mute(staff, unique("nobody"), true).catch(codeOf)).toBe("not_found");
    expect((await acts.find(staff, ann.name.toUpperCase())).id).toBe(ann.id);
    await stores.accounts.update(ann.id, { deletedAt: 1 });
    expect(await acts.find(staff, ann.name).catch(codeOf)).toBe("not_found");
  });
});

describe("an act is felt at once", () => {
  test("by the muted, who read on and write nothing until they may again", async () => {
    const staff = await staffOf("staff");
    const actor = actorOf(ann, "user");
    await acts.mute(staff, ann.name, true);
    expect(await access.member(actor, PUBLIC_ROOM).catch(codeOf)).toBe("muted");
    expect((await access.reader(actor, PUBLIC_ROOM)).room.slug).toBe(PUBLIC_ROOM);
    await acts.mute(staff, ann.name, false);
    expect((await access.member(actor, PUBLIC_ROOM)).author).toBe(ann.id);
  });

  test("by the disabled, whose sessions are over", async () => {
    const { session } = await sessions.open(ann, null, { address: "", agent: "" });
    expect(await sessions.current(session.id)).not.toBeNull();
    await acts.disable(await staffOf("staff"), ann.name, true);
    expect(await sessions.current(session.id)).toBeNull();
    expect(published).toContainEqual({ type: "sessions.ended", sessions: [session.id] });
  });

  test("by those who had been disabled already, should their sessions have been left", async () => {
    const { session } = await sessions.open(ann, null, { address: "", agent: "" });
    await stores.disableAccount(ann.id);
    const staff = await staffOf("staff");
    expect(await acts.disable(staff, ann.name, true)).toMatchObject({ id: ann.id, isActive: false });
    expect(await sessions.ofUser(ann.id)).toEqual([]);
    expect(published).toContainEqual({ type: "sessions.ended", sessions: [session.id] });
    expect((await entries()).slice(logged)).toEqual([]);
  });

  test("by those who were just signing in when their account was disabled", async () => {
    await acts.disable(await staffOf("staff"), ann.name, true);
    // With the account as it was when the password was checked.
    const { session } = await sessions.open(ann, null, { address: "", agent: "" });
    expect(await sessions.current(session.id)).toBeNull();
  });

  test("by the promoted and the demoted, without signing in again", async () => {
    const superuser = asSuperuser(await staffOf("superuser"));
    const { session } = await sessions.open(ann, null, { address: "", agent: "" });
    const rank = async () => {
      const account = (await sessions.current(session.id))?.account;
      return [account?.isStaff, account?.isSuperuser];
    };
    expect(await rank()).toEqual([false, false]);
    await acts.grant(superuser, ann.name, "staff");
    expect(await rank()).toEqual([true, false]);
    await acts.grant(superuser, ann.name, "superuser");
    expect(await rank()).toEqual([true, true]);
    await acts.grant(superuser, ann.name, "staff");
    expect(await rank()).toEqual([true, true]);
    await acts.take(superuser, ann.name, "superuser");
    expect(await rank()).toEqual([true, false]);
    await acts.take(superuser, ann.name, "staff");
    expect(await rank()).toEqual([false, false]);
  });

  test("by the readers of a message that is removed", async () => {
    await signIn(stores, ann.id);
    const { message } = await messages.post(await access.member(actorOf(ann, "user"), PUBLIC_ROOM), {
      key: unique("key") as ClientKey,
      text: "hello",
    });
    const staff = await staffOf("staff");
    const id = message.id as MessageId;
    expect(await acts.findMessage(staff, id)).toEqual({ id, room: PUBLIC_ROOM });
    expect(await acts.removeMessage(staff, id)).toBe(PUBLIC_ROOM);
    expect(published.at(-1)).toMatchObject({ type: "messages.changed", changes: [{ id, text: "" }] });
    expect(await acts.removeMessage(staff, id).catch(codeOf)).toBe("not_found");
    expect(await acts.findMessage(staff, id).catch(codeOf)).toBe("not_found");
  });
});

describe("the audit log", () => {
  test("has one entry for each act, and none for what was so already", async () => {
    const superuser = asSuperuser(await staffOf("superuser"));
    const { name } = superuser.actor;
    const twice = async (act: () => Promise<unknown>) => void (await act(), await act());
    await twice(() => acts.mute(superuser, ann.name, true));
    await twice(() => acts.mute(superuser, ann.name, false));
    await twice(() => acts.disable(superuser, ann.name, true));
    await twice(() => acts.disable(superuser, ann.name, false));
    await twice(() => acts.grant(superuser, ann.name, "staff"));
    await twice(() => acts.take(superuser, ann.name, "staff"));
    await twice(() => acts.closeRoom(superuser, PUBLIC_ROOM, true));
    await twice(() => acts.closeRoom(superuser, PUBLIC_ROOM, false));
    await acts.endSessions(superuser, ann.name);
    await acts.renamePublic(superuser, " The hall ");
    const by = { at: 4711, actorId: superuser.actor.id, actorName: name, address: "192.0.2.7" };
    const subject = `user:${ann.name}`;
    const room = `room:${PUBLIC_ROOM}`;
    const id = expect.any(Number);
    expect((await entries()).slice(logged)).toEqual([
      { ...by, id, action: "account.muted", subject, detail: "" },
      { ...by, id, action: "account.unmuted", subject, detail: "" },
      { ...by, id, action: "account.disabled", subject, detail: "" },
      { ...by, id, action: "account.enabled", subject, detail: "" },
      { ...by, id, action: "account.promoted", subject, detail: "staff" },
      { ...by, id, action: "account.demoted", subject, detail: "user" },
      { ...by, id, action: "room.closed", subject: room, detail: "" },
      { ...by, id, action: "room.opened", subject: room, detail: "" },
      { ...by, id, action: "account.sessions_ended", subject, detail: "" },
      { ...by, id, action: "room.renamed", subject: room, detail: "The hall" },
    ]);
  });

  test("has none for what was refused", async () => {
    const staff = await staffOf("staff");
    const { name } = await accountOf("superuser");
    expect(await acts.disable(staff, name, true).catch(codeOf)).toBe("forbidden");
    expect(await acts.renamePublic(staff, "").catch(codeOf)).toBe("bad_name");
    expect(await acts.closeRoom(staff, unique("room"), true).catch(codeOf)).toBe("not_found");
    expect((await entries()).slice(logged)).toEqual([]);
  });
});

/** The oldest first. */
async function entries() {
  const { items } = await stores.audit.page({ before: null, q: "", action: null, limit: 1000 });
  return items.toReversed();
}

async function accountOf(rank: AccountRank): Promise<Account> {
  const account = await addPerson(stores);
  const flags = { isStaff: rank !== "user", isSuperuser: rank === "superuser" };
  return (await stores.accounts.update(account.id, flags)) ?? account;
}

async function staffOf(rank: "staff" | "superuser"): Promise<Staff> {
  return asStaff(actorOf(await accountOf(rank), rank), "192.0.2.7");
}

function actorOf({ id, name }: Account, rank: AccountRank) {
  return { kind: "member", id, name, session: sessionOf(id), rank } as const;
}

function codeOf(refused: unknown): string {
  if (refused instanceof Refused) return refused.code;
  throw refused;
}
