import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { invite, join, makeRoom, press } from "../../src/testing/rooms.ts";
import { newKey, openChat, openGateway, type Gateway } from "../../src/testing/socket.ts";
import { someone, standAs } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

/** How long a test listens for a frame that must not come. */
const SILENCE_MS = 60;

let world: World;
let ann: Client;
let bob: Client;
let visitor: Client;
beforeAll(async () => {
  world = await startWorld();
  [ann, bob, visitor] = [await member(world, "ann"), await member(world, "bob"), await guest(world)];
});
afterAll(() => world.stop());

type Answer = Extract<ServerFrame, { type: "ack" | "refusal" }>;

/** Sends a frame under a key of its own; its answer. */
function ask(socket: Gateway, frame: object, key = newKey()): Promise<Answer> {
  socket.send({ room: "public", key, ...frame });
  return socket.next(
    (answer) => (answer.type === "ack" || answer.type === "refusal") && answer.key === key,
  ) as Promise<Answer>;
}

async function post(socket: Gateway, text: string, room = "public") {
  const ack = await socket.post(text, undefined, room);
  if (ack.type !== "ack") throw new Error(`"${text}" was refused: ${ack.code}`);
  return ack;
}

const edit = (id: number, text: string) => ({ type: "edit", id, text });
const remove = (id: number) => ({ type: "remove", id });

describe("an edit", () => {
  test("is acknowledged with its number, and comes to everybody as a change of the same place", async () => {
    const [a, b, g] = [await openGateway(ann), await openGateway(bob), await openGateway(visitor)];
    const { id, seq, rev } = await post(a, "helo");
    const key = newKey();
    const ack = await ask(a, edit(id, " hello\n"), key);
    expect(ack).toEqual({ type: "ack", room: "public", key, id, seq, rev: rev + 1, repeat: false });
    for (const socket of [a, b, g]) {
      await socket.nextOf("changes");
      const { from, to, changes } = await socket.nextOf("changes");
      expect([from, to, changes.length]).toEqual([rev, rev + 1, 1]);
      expect(changes[0]).toMatchObject({
        id,
        seq,
        rev: rev + 1,
        author: "ann",
        text: "hello",
        deletedAt: null,
      });
      expect(Math.abs((changes[0]?.editedAt ?? 0) - Date.now())).toBeLessThan(10_000);
      expect(await socket.quiet(SILENCE_MS)).toEqual([]);
      socket.close();
    }
  });

  test("to what the message says already is a repeat, and nobody is told", async () => {
    const [a, b] = [await openGateway(ann), await openGateway(bob)];
    const { id, rev } = await post(a, "as it is");
    await b.nextOf("changes");
    expect(await ask(a, edit(id, "as it is"))).toMatchObject({ type: "ack", rev, repeat: true });
    expect(await b.quiet(SILENCE_MS)).toEqual([]);
  });

  test("leaves the first send's key as it was: sent again, it is acknowledged and changes nothing", async () => {
    const a = await openGateway(ann);
    const key = newKey();
    const first = await a.post("first", key);
    if (first.type !== "ack") throw new Error(first.code);
    const { id, seq } = first;
    const { rev } = (await ask(a, edit(id, "second"))) as { rev: number };
    for (const text of ["first", "second"])
      expect(await a.post(text, key)).toEqual({
        type: "ack",
        room: "public",
        key,
        id,
        seq,
        rev,
        repeat: true,
      });
  });

  test.each([
    ["blank", " \n"],
    ["too_long", "x".repeat(1001)],
    ["bad_characters", "a\0b"],
  ])("as %s is refused like such a message", async (code, text) => {
    const a = await openGateway(ann);
    const { id } = await post(a, "fine");
    expect(await ask(a, edit(id, text))).toMatchObject({ type: "refusal", code, retryable: false });
    expect(await ask(a, edit(id, "fine too"))).toMatchObject({ type: "ack" });
  });

  test("is its author's alone, whoever else looks after the place", async () => {
    const staff = await someone(world, "superuser", "root");
    const [a, b, root, g] = [
      await openGateway(ann),
      await openGateway(bob),
      await openGateway(staff),
      await openGateway(visitor),
    ];
    const { id } = await post(a, "mine");
    for (const socket of [b, root])
      expect(await ask(socket, edit(id, "theirs"))).toMatchObject({ code: "forbidden" });
    expect(await ask(g, edit(id, "theirs"))).toMatchObject({ code: "login_required" });
    expect(await ask(a, edit(1_000_000, "nothing"))).toMatchObject({ code: "not_found" });
    expect(await ask(a, edit(id, "mine still"))).toMatchObject({ type: "ack" });
  });

  test("is over for whoever is muted, put out of the room, or finds it closed", async () => {
    const carl = await member(world, "carl");
    const slug = await makeRoom(ann, "hall");
    await join(carl, await invite(ann, slug));
    const page = await openGateway(carl, [{ room: slug, epoch: "x", rev: 0 }]);
    const { id } = await post(page, "before", slug);
    const tries = async () =>
      (await ask(page, { ...edit(id, `${Math.random()}`), room: slug })) as { code?: string };
    expect((await tries()).code).toBeUndefined();
    expect(await ask(page, { ...edit(id, "as it is"), room: slug })).toMatchObject({ repeat: false });
    await standAs(world, "muted", "carl");
    expect((await tries()).code).toBe("muted");
    // An answer that was lost is given again.
    expect(await ask(page, { ...edit(id, "as it is"), room: slug })).toMatchObject({ repeat: true });
    await standAs(world, "member", "carl");
    expect((await tries()).code).toBeUndefined();
    await press(ann, slug, "members/carl/remove");
    expect((await tries()).code).toBe("not_found");
  });

  test("does not reach clients of the old protocol as a new message", async () => {
    const [a, old] = [await openGateway(ann), await openChat(bob, "public")];
    const { id } = await post(a, "once");
    expect(await old.next()).toMatchObject({ message: "once" });
    await ask(a, edit(id, "twice"));
    await ask(a, remove(id));
    await post(a, "next");
    expect(await old.next()).toMatchObject({ message: "next" });
  });
});

describe("a removal", () => {
  test("is acknowledged with its number, and takes the text from everybody", async () => {
    const [a, b] = [await openGateway(ann), await openGateway(bob)];
    const { id, seq, rev } = await post(a, "regretted");
    await b.nextOf("changes");
    const key = newKey();
    const ack = await ask(a, remove(id), key);
    expect(ack).toEqual({ type: "ack", room: "public", key, id, seq, rev: rev + 1, repeat: false });
    const { changes } = await b.nextOf("changes");
    expect(changes).toMatchObject([{ id, seq, rev: rev + 1, text: "", deletedAt: expect.any(Number) }]);
    const late = await openGateway(visitor, [{ room: "public", epoch: a.epoch, rev: rev - 1 }]);
    const missed = await late.nextOf("changes");
    expect(missed).toMatchObject({ from: rev - 1, to: rev + 1, changes: [{ id, text: "" }] });
    expect(JSON.stringify(missed)).not.toContain("regretted");
    for (const again of [remove(id), edit(id, "back")])
      expect(await ask(a, again)).toMatchObject({ type: "refusal", code: "not_found" });
  });

  test("is not for others, but for staff", async () => {
    const staff = await someone(world, "staff", "warden");
    const [a, b, g, w] = [
      await openGateway(ann),
      await openGateway(bob),
      await openGateway(visitor),
      await openGateway(staff),
    ];
    const { id } = await post(a, "stays");
    expect(await ask(b, remove(id))).toMatchObject({ code: "forbidden" });
    expect(await ask(g, remove(id))).toMatchObject({ code: "login_required" });
    expect(await ask(w, remove(id))).toMatchObject({ type: "ack" });
  });
});

test("an edit or a removal is of a message of the room that it names", async () => {
  const [hall, elsewhere] = [await makeRoom(ann, "hall"), await makeRoom(bob, "elsewhere")];
  const a = await openGateway(ann);
  const { id } = await post(a, "here", hall);
  for (const room of ["public", elsewhere, "nowhere"])
    for (const frame of [edit(id, "there"), remove(id)])
      expect(await ask(a, { ...frame, room })).toMatchObject({ type: "refusal", code: "not_found" });
  expect(await ask(a, { ...edit(id, "still here"), room: hall })).toMatchObject({ type: "ack", room: hall });
  expect(await ask(a, { ...remove(id), room: hall })).toMatchObject({ type: "ack", room: hall });
});

test("who is staff is asked at each removal, on a socket that was opened before too", async () => {
  const superuser = await someone(world, "superuser", "chief");
  const dan = await member(world, "dan");
  const [a, d] = [await openGateway(ann), await openGateway(dan)];
  const [first, second, third] = [await post(a, "1"), await post(a, "2"), await post(a, "3")];
  expect(await ask(d, remove(first.id))).toMatchObject({ code: "forbidden" });
  expect((await superuser.post("/api/admin/users/dan/staff/")).status).toBe(200);
  expect(await ask(d, remove(second.id))).toMatchObject({ type: "ack" });
  expect((await superuser.delete("/api/admin/users/dan/staff/")).status).toBe(200);
  expect(await ask(d, remove(third.id))).toMatchObject({ code: "forbidden" });
});

describe("what one sender asks for at once", () => {
  test("is done and answered in its order, whatever it is, and each answer comes after its change", async () => {
    const a = await openGateway(ann);
    const { id, rev } = await post(a, "start");
    await a.quiet(0);
    const keys = Array.from({ length: 60 }, newKey);
    for (const [i, key] of keys.entries()) {
      const frame = i % 3 === 2 ? edit(id, `edit ${i}`) : { type: "send", text: `post ${i}` };
      a.send({ room: "public", key, ...frame });
    }
    const heard: ServerFrame[] = [];
    while (heard.filter(({ type }) => type === "ack").length < keys.length) heard.push(await a.next());
    const acks = heard.filter((frame) => frame.type === "ack");
    expect(acks.map(({ key }) => key)).toEqual(keys);
    expect(acks.map((ack) => ack.rev)).toEqual(keys.map((_, i) => rev + 1 + i));
    let told = rev;
    for (const frame of heard) {
      if (frame.type === "changes") told = frame.to;
      if (frame.type === "ack") expect(frame.rev).toBeLessThanOrEqual(told);
    }
    expect(heard.filter(({ type }) => type === "changes").length).toBeLessThan(keys.length);
  });

  test("and may not be done leaves out itself alone", async () => {
    const a = await openGateway(ann);
    const { rev } = await post(a, "start");
    const texts = ["1", " ", "2", "x".repeat(1001), "3"];
    const answers = await Promise.all(texts.map((text) => a.post(text)));
    expect(answers.map((answer) => (answer.type === "ack" ? answer.rev - rev : answer.code))).toEqual([
      1,
      "blank",
      2,
      "too_long",
      3,
    ]);
  });
});

describe("whoever writes", () => {
  const typing = (room = "public") => ({ type: "typing", room });

  test("is shown by name to the members who follow the room, at most once in two seconds", async () => {
    const [a, b, g, idle] = [
      await openGateway(ann),
      await openGateway(bob),
      await openGateway(visitor),
      await openGateway(bob, []),
    ];
    for (let i = 0; i < 5; i++) a.send(typing());
    await a.settled();
    expect(await b.quiet(SILENCE_MS)).toEqual([{ type: "typing", room: "public", name: "ann" }]);
    for (const socket of [a, g, idle]) expect(await socket.quiet(0)).toEqual([]);
  });

  test("is not shown as a guest, nor to those outside of a private room", async () => {
    const slug = await makeRoom(ann, "den");
    await join(bob, await invite(ann, slug));
    const held = [{ room: slug, epoch: (await openGateway(ann)).epoch, rev: 0 }];
    const [a, b, g] = [
      await openGateway(ann, held),
      await openGateway(bob, held),
      await openGateway(visitor),
    ];
    for (const socket of [a, b]) await socket.nextOf("caught-up");
    g.send(typing());
    g.send(typing(slug));
    await g.settled();
    a.send(typing(slug));
    await a.settled();
    expect(await b.quiet(SILENCE_MS)).toEqual([{ type: "typing", room: slug, name: "ann" }]);
    expect(await g.quiet(0)).toEqual([]);
  });
});
