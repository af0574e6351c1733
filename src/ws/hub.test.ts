import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { RoomId, SessionId, UserId } from "../shared/ids.ts";
import { CLOSE_REMOVED, CLOSE_SESSION_OVER, type MessageView, type ServerFrame } from "../shared/protocol.ts";
import type { Bus } from "../chat/ports.ts";
import { serveHub, type HubServer, type HubSocket } from "../testing/hub.ts";
import { addressOf, createHub, personOf, type Hub } from "./hub.ts";
import type { Socket, SocketData } from "./socket.ts";

const ROOM = { id: 1 as RoomId, slug: "public" };
const ANN = {
  kind: "member",
  id: 1 as UserId,
  name: "ann",
  session: "session-of-ann" as SessionId,
  rank: "user",
} as const;

const BOB = { ...ANN, id: 2 as UserId, name: "bob", session: "session-of-bob" as SessionId };
const GUEST = { kind: "guest" } as const;

const bus = createMemoryBus();
const hub = createHub(bus);
let server: HubServer;

beforeAll(() => {
  server = serveHub(hub);
});
afterAll(() => server.stop());

test("a reader who is behind what has been published has to read again before following", async () => {
  const { socket, heard } = await reader();
  change(4, 5);
  expect(hub.follow(socket, ROOM, 4, hub.removals())).toBe(false);
  change(5, 6);
  expect(await heard()).toEqual([]);

  expect(hub.follow(socket, ROOM, 6, hub.removals())).toBe(true);
  change(6, 7);
  expect(await heard()).toMatchObject([{ type: "changes", room: "public", from: 6, to: 7 }]);
});

test("a reader may hold more than has been published here, as after a restart", async () => {
  const { socket, heard } = await reader();
  expect(hub.follow(socket, ROOM, 1000, hub.removals())).toBe(true);
  change(1000, 1001);
  expect(await heard()).toMatchObject([{ from: 1000, to: 1001 }]);
});

test("sockets of a session that has ended are closed, and no others", async () => {
  const { closed } = await reader();
  bus.publish({ type: "sessions.ended", sessions: ["session-of-bob" as SessionId] });
  expect(await Promise.race([closed, Bun.sleep(50)])).toBeUndefined();
  bus.publish({ type: "sessions.ended", sessions: [ANN.session] });
  expect(await closed).toBe(CLOSE_SESSION_OVER);
});

describe("somebody who loses a room", () => {
  const HALL = { id: 2 as RoomId, slug: "hall" };
  const ended = (userId: UserId) =>
    bus.publish({ type: "membership.ended", roomId: HALL.id, room: HALL.slug, userId });
  const said = (to: number) =>
    bus.publish({
      type: "messages.changed",
      roomId: HALL.id,
      room: HALL.slug,
      from: to - 1,
      to,
      changes: [],
    });
  const lost = { type: "removed", room: "hall", reason: "membership" };

  test("is told on all their sockets, and hears nothing more; the others go on", async () => {
    const [first, second, other] = [await reader(), await reader(), await reader(BOB)];
    for (const { socket } of [first, second, other])
      expect(hub.follow(socket, HALL, 0, hub.removals())).toBe(true);
    said(1);
    for (const { heard } of [first, second, other]) expect(await heard()).toMatchObject([{ to: 1 }]);
    ended(ANN.id);
    said(2);
    for (const { heard } of [first, second]) expect(await heard()).toEqual([lost as ServerFrame]);
    expect(await other.heard()).toMatchObject([{ type: "changes", to: 2 }]);
  });

  test("keeps the other rooms of the same socket", async () => {
    const { socket, heard } = await reader();
    expect(hub.follow(socket, HALL, 2, hub.removals())).toBe(true);
    expect(hub.follow(socket, ROOM, 2000, hub.removals())).toBe(true);
    ended(ANN.id);
    said(3);
    change(2000, 2001);
    expect(await heard()).toMatchObject([lost, { type: "changes", room: "public", to: 2001 }]);
  });

  test("is not told of a room that the socket does not follow", async () => {
    const { heard } = await reader();
    ended(ANN.id);
    expect(await heard()).toEqual([]);
  });

  test("and of whose loss nobody has told is dropped from it, and from no other", async () => {
    const { socket, heard } = await reader();
    expect(hub.follow(socket, HALL, 3, hub.removals())).toBe(true);
    expect(hub.follow(socket, ROOM, 2001, hub.removals())).toBe(true);
    said(3);
    expect(await heard()).toMatchObject([{ type: "changes", room: "hall" }]);
    hub.drop(socket, "hall");
    said(3);
    change(2001, 2002);
    expect(await heard()).toMatchObject([{ type: "changes", room: "public" }]);
  });

  test("does not follow it by what was read before", async () => {
    const { socket, heard } = await reader();
    const before = hub.removals();
    expect(hub.follow(socket, HALL, 3, before)).toBe(true);
    ended(ANN.id);
    expect(hub.removals()).toBeGreaterThan(before);
    expect(await heard()).toEqual([lost as ServerFrame]);
    expect(hub.follow(socket, HALL, 3, before)).toBe(false);
    said(4);
    expect(await heard()).toEqual([]);
    expect(hub.follow(socket, HALL, 4, hub.removals())).toBe(true);
  });

  test("has the socket closed whose only room it was, and no other of theirs or of others", async () => {
    const [own, elsewhere, gateway, other] = [
      await reader(ANN, "hall"),
      await reader(ANN, "Hall"),
      await reader(),
      await reader(BOB, "hall"),
    ];
    ended(ANN.id);
    expect(await own.closed).toBe(CLOSE_REMOVED);
    for (const { closed } of [elsewhere, gateway, other])
      expect(await Promise.race([closed, Bun.sleep(50)])).toBeUndefined();
  });
});

describe("a room that is removed", () => {
  const GONE = { id: 3 as RoomId, slug: "gone" };

  test("is lost by everybody who follows it, each told once", async () => {
    const people = [await reader(), await reader(BOB), await reader(GUEST)];
    const idle = await reader(BOB);
    for (const { socket } of people) expect(hub.follow(socket, GONE, 0, hub.removals())).toBe(true);
    const old = await reader(BOB, "gone");
    bus.publish({ type: "room.removed", roomId: GONE.id, room: GONE.slug });
    bus.publish({ type: "messages.changed", roomId: GONE.id, room: GONE.slug, from: 0, to: 1, changes: [] });
    for (const { heard } of people)
      expect(await heard()).toEqual([{ type: "removed", room: "gone", reason: "room" }]);
    expect(await old.closed).toBe(CLOSE_REMOVED);
    expect(await idle.heard()).toEqual([]);
  });
});

describe("the sockets that are open", () => {
  const at = (address: string, actor: SocketData["actor"] = GUEST) => server.opens({ actor, address });
  const counted = (address: string) => hub.count(addressOf({ address }));

  test("are counted: all, those of a person, and those of a network", async () => {
    const before = hub.count();
    const [person, DORA] = ["user:4", { ...ANN, id: 4 as UserId, session: "session-of-dora" as SessionId }];
    const opened = [
      await at("192.0.2.1"),
      await at("192.0.2.1", DORA),
      await at("192.0.2.2", DORA),
      await at("2001:db8:1:2::1"),
      await at("2001:db8:1:2:ffff::9"),
      await at("2001:db8:1:3::1"),
    ];
    expect(hub.count()).toBe(before + 6);
    expect(hub.count(personOf({ actor: DORA }) ?? "")).toBe(2);
    expect(personOf({ actor: DORA })).toBe(person);
    expect(["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(counted)).toEqual([2, 1, 0]);
    expect(["2001:db8:1:2::5", "2001:db8:1:3::5"].map(counted)).toEqual([2, 1]);
    expect(hub.sockets()).toHaveLength(before + 6);

    await opened[1]?.leaves();
    expect([hub.count(), hub.count(person), counted("192.0.2.1")]).toEqual([before + 5, 1, 1]);
    for (const socket of [opened[0], ...opened.slice(2)]) await socket?.leaves();
    expect([hub.count(), hub.count(person), counted("192.0.2.1"), counted("2001:db8:1:2::1")]).toEqual([
      before,
      0,
      0,
      0,
    ]);
  });

  test("of guests are nobody's", () => {
    expect(personOf({ actor: GUEST })).toBeNull();
  });
});

describe("the rooms that are followed", () => {
  const WOODS = { id: 5 as RoomId, slug: "woods" };

  test("are those that some socket still follows", async () => {
    const [first, second] = [await reader(), await reader(BOB)];
    expect(hub.followed()).not.toContainEqual(WOODS);
    for (const { socket } of [first, second]) hub.follow(socket, WOODS, 0, hub.removals());
    expect(hub.followed().filter(({ id }) => id === WOODS.id)).toEqual([WOODS]);
    await first.leaves();
    expect(hub.followed()).toContainEqual(WOODS);
    await second.leaves();
    expect(hub.followed()).not.toContainEqual(WOODS);
  });

  test("are told something, each follower and nobody else", async () => {
    const [follower, idle] = [await reader(), await reader(BOB)];
    hub.follow(follower.socket, WOODS, 0, hub.removals());
    const frame: ServerFrame = { type: "head", room: "woods", head: 7 };
    hub.tell(WOODS.id, frame);
    expect(await follower.heard()).toEqual([frame]);
    expect(await idle.heard()).toEqual([]);
  });

  test("hear what one of their followers does, all but that one", async () => {
    const [ann, bob, idle] = [await reader(), await reader(BOB), await reader(GUEST)];
    for (const { socket } of [ann, bob]) hub.follow(socket, WOODS, 0, hub.removals());
    const frame: ServerFrame = { type: "typing", room: "woods", name: "ann" };
    hub.tellOthers(ann.socket, WOODS.id, frame);
    expect(await bob.heard()).toEqual([frame]);
    for (const { heard } of [ann, idle]) expect(await heard()).toEqual([]);
    hub.tellOthers(idle.socket, WOODS.id, frame);
    for (const { heard } of [ann, bob, idle]) expect(await heard()).toEqual([]);
  });
});

describe("the rooms that are served", () => {
  const LAWN = { id: 7 as RoomId, slug: "lawn" };
  const isServed = () => hub.served().some(({ id }) => id === LAWN.id);

  test("are those of which some socket still hears anything", async () => {
    expect(isServed()).toBe(false);
    const ways: ((socket: Socket) => unknown)[] = [
      (socket) => hub.follow(socket, LAWN, 0, hub.removals()),
      (socket) => hub.hearNews(socket, LAWN, 0),
      (socket) => hub.attend(socket, LAWN, 0, { topic: "by another way", tell() {} }),
    ];
    for (const hear of ways) {
      const { socket, leaves } = await reader();
      hear(socket);
      expect(isServed()).toBe(true);
      await leaves();
      expect(isServed()).toBe(false);
    }
  });

  test("are told to the bus with a number that is no less than what was published", async () => {
    const served: number[] = [];
    const other = createHub({ ...bus, serve: (_, rev) => (served.push(rev), rev) });
    const { socket, leaves } = await reader();
    other.follow(socket, LAWN, 3, other.removals());
    const lawn = { type: "messages.changed", roomId: LAWN.id, room: LAWN.slug } as const;
    bus.publish({ ...lawn, from: 3, to: 5, changes: [] });
    other.attend(socket, LAWN, 4, { topic: "by another way", tell() {} });
    other.hearNews(socket, LAWN, 7);
    expect(served).toEqual([3, 5, 7]);
    await leaves();
  });
});

test("messages that were changed before they were told are news where the bus says so", async () => {
  const { socket, heard, leaves } = await reader();
  const YARD = { id: 8 as RoomId, slug: "yard" };
  hub.hearNews(socket, YARD, 0);
  const edited = { id: 1, seq: 1, rev: 2, author: "bob", avatar: null, text: "better", createdAt: 1 };
  const event = { type: "messages.changed", roomId: YARD.id, room: YARD.slug } as const;
  bus.publish({ ...event, changes: [edited], from: 0, to: 2, fresh: [edited] });
  expect(await heard()).toEqual([{ type: "news", room: "yard", authors: ["bob"] }]);
  await leaves();
});

test("whoever writes on another node is shown to the members who follow the room", async () => {
  const SHED = { id: 9 as RoomId, slug: "shed" };
  const [ann, visitor] = [await reader(), await reader(GUEST)];
  for (const { socket } of [ann, visitor]) hub.follow(socket, SHED, 0, hub.removals());
  bus.publish({ type: "typing", roomId: SHED.id, room: SHED.slug, name: "bob" });
  expect(await ann.heard()).toEqual([{ type: "typing", room: "shed", name: "bob" }]);
  expect(await visitor.heard()).toEqual([]);
});

describe("news of a room", () => {
  const FIELD = { id: 6 as RoomId, slug: "field" };
  const message = (
    seq: number,
    rev: number,
    author: string,
    deletedAt: number | null = null,
  ): MessageView => {
    return { id: seq, seq, rev, author, avatar: null, text: "secret", createdAt: 1, deletedAt };
  };

  test("names the author of each new message, and says nothing of what was edited or removed", async () => {
    const { socket, heard } = await reader();
    hub.hearNews(socket, FIELD, 1);
    const changes = [
      message(2, 2, "bob"),
      message(1, 3, "carl"),
      message(4, 5, "dora", 1),
      message(6, 6, "bob"),
    ];
    bus.publish({ type: "messages.changed", roomId: FIELD.id, room: FIELD.slug, from: 1, to: 6, changes });
    expect(await heard()).toEqual([{ type: "news", room: "field", authors: ["bob", "bob"] }]);
    const edit = [message(2, 7, "bob")];
    bus.publish({
      type: "messages.changed",
      roomId: FIELD.id,
      room: FIELD.slug,
      from: 6,
      to: 7,
      changes: edit,
    });
    expect(await heard()).toEqual([]);
  });
});

describe("where a room is told up to a lower number than somebody was let in at", () => {
  const POND = { id: 10 as RoomId, slug: "pond" };
  const news = (...authors: string[]): ServerFrame => ({ type: "news", room: "pond", authors });
  const said = (seq: number): MessageView => ({
    id: seq,
    seq,
    rev: seq,
    author: `author ${seq}`,
    avatar: null,
    text: `words ${seq}`,
    createdAt: 1,
    deletedAt: null,
  });
  let slowBus: Bus;
  let slow: Hub;
  let slowServer: HubServer;
  /** The last number told. */
  let told: number;

  beforeEach(() => {
    told = 5;
    slowBus = { ...createMemoryBus(), serve: () => told };
    slow = createHub(slowBus);
    slowServer = serveHub(slow);
    slow.onChanges((_, fresh) => fresh.forEach(({ text }) => slow.publish("words", JSON.stringify(text))));
  });
  afterEach(() => slowServer.stop());

  function tell(to: number): void {
    const changes = Array.from({ length: to - told }, (_, i) => said(told + i + 1));
    const place = { roomId: POND.id, room: POND.slug };
    slowBus.publish({ type: "messages.changed", ...place, from: told, to, changes });
    told = to;
  }

  const attend = ({ socket }: HubSocket, rev: number) =>
    slow.attend(socket, POND, rev, {
      topic: "words",
      tell: (fresh) => fresh.forEach(({ text }) => socket.send(JSON.stringify(text))),
    });

  test("they hear of what follows theirs, and not again of what they were let in with; the others of all", async () => {
    const [late, early, original] = [await opens(), await opens(), await opens()];
    expect(slow.hearNews(late.socket, POND, 7)).toBe(true);
    expect(slow.hearNews(early.socket, POND, 5)).toBe(true);
    attend(original, 7);
    tell(6);
    expect(await late.heard()).toEqual([]);
    expect(await original.heard()).toEqual([]);
    tell(9);
    tell(10);
    expect(await late.heard()).toEqual([news("author 8", "author 9"), news("author 10")]);
    expect(await original.heard<string>()).toEqual(["words 8", "words 9", "words 10"]);
    expect(await early.heard()).toEqual([
      news("author 6"),
      news("author 7", "author 8", "author 9"),
      news("author 10"),
    ]);
  });

  test("whoever counts anew hears from there on, though they listened before", async () => {
    const page = await opens();
    slow.hearNews(page.socket, POND, 5);
    slow.hearNews(page.socket, POND, 7);
    slow.hearNews(page.socket, POND, 8);
    tell(9);
    tell(10);
    expect(await page.heard()).toEqual([news("author 9"), news("author 10")]);
  });

  test("whoever counted less than has been told counts anew", async () => {
    const page = await opens();
    expect(slow.hearNews(page.socket, POND, 4)).toBe(false);
    expect(slow.hearNews(page.socket, POND, 5)).toBe(true);
  });

  test("the room is served until they leave", async () => {
    const page = await opens();
    slow.hearNews(page.socket, POND, 7);
    expect(slow.served()).toEqual([POND]);
    await page.leaves();
    expect(slow.served()).toEqual([]);
    tell(9);
  });

  test("whoever is put out hears nothing of it", async () => {
    const [page, dropped] = [await opens(), await opens(BOB)];
    for (const { socket } of [page, dropped]) slow.hearNews(socket, POND, 7);
    slowBus.publish({ type: "membership.ended", roomId: POND.id, room: POND.slug, userId: ANN.id });
    slow.drop(dropped.socket, POND.slug);
    tell(9);
    tell(10);
    for (const { heard } of [page, dropped]) expect(await heard()).toEqual([]);
  });

  test("whose only room it was is closed with it, and sent nothing more", async () => {
    const original = await slowServer.opens({ actor: ANN, slug: POND.slug });
    const heard: MessageView[] = [];
    slow.attend(original.socket, POND, 7, { topic: "words", tell: (fresh) => void heard.push(...fresh) });
    slowBus.publish({ type: "room.removed", roomId: POND.id, room: POND.slug });
    tell(9);
    expect(await original.closed).toBe(CLOSE_REMOVED);
    expect(heard).toEqual([]);
  });

  test("a reader of numbers follows from theirs, and reads again where they hold less", async () => {
    const [ahead, behind] = [await opens(), await opens()];
    expect(slow.follow(ahead.socket, POND, 7, slow.removals())).toBe(true);
    expect(slow.follow(behind.socket, POND, 4, slow.removals())).toBe(false);
    tell(6);
    expect(await ahead.heard()).toMatchObject([{ type: "changes", from: 5, to: 6 }]);
    expect(await behind.heard()).toEqual([]);
  });

  const opens = (actor: SocketData["actor"] = ANN) => slowServer.opens({ actor });
});

const reader = (actor: SocketData["actor"] = ANN, slug = "") => server.opens({ actor, slug });

function change(from: number, to: number): void {
  bus.publish({ type: "messages.changed", roomId: ROOM.id, room: ROOM.slug, from, to, changes: [] });
}
