import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { RESUME_MAX_CHANGES } from "../../src/shared/limits.ts";
import type { Changes, ServerFrame } from "../../src/shared/protocol.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { newKey, openChat, openGateway, type Gateway } from "../../src/testing/socket.ts";
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

const isChange = (frame: ServerFrame) => frame.type === "changes";

/** Takes frames until this number is reached; fails unless each begins where the one before ended. */
async function changesUpTo(socket: Gateway, from: number, to: number): Promise<Changes["changes"]> {
  const all: Changes["changes"] = [];
  for (let held = from; held < to;) {
    const frame = await socket.nextOf("changes");
    expect(frame.from).toBe(held);
    expect(frame.to).toBeGreaterThan(held);
    all.push(...frame.changes);
    held = frame.to;
  }
  return all;
}

async function post(socket: Gateway, text: string) {
  const ack = await socket.post(text);
  if (ack.type !== "ack") throw new Error(`"${text}" was refused: ${ack.code}`);
  return ack;
}

describe("someone who opens a page", () => {
  test("is welcomed by name, a guest without one, both with the same epoch", async () => {
    const [hers, other] = [await openGateway(ann, []), await openGateway(visitor, [])];
    expect(hers.user).toBe("ann");
    expect(other.user).toBeNull();
    expect(other.id).toBeNull();
    expect(hers.epoch).toBe(other.epoch);
    expect(hers.epoch.length).toBeGreaterThan(0);
    expect(await hers.quiet(SILENCE_MS)).toEqual([]);
  });

  test("is welcomed as the same account whatever its name is", async () => {
    const eve = await member(world, "eve");
    const before = await openGateway(eve, []);
    expect((await eve.post("/api/auth/profile/", { username: "evelyn" })).status).toBe(200);
    const after = await openGateway(eve, []);
    expect([before.user, after.user]).toEqual(["eve", "evelyn"]);
    expect(after.id).toBe(before.id as number);
    const [hers, his] = [await openGateway(ann, []), await openGateway(bob, [])];
    expect(new Set([after.id, hers.id, his.id]).size).toBe(3);
  });

  test("talks with others, who hear each message once", async () => {
    const [a, b, g] = [await openGateway(ann), await openGateway(bob), await openGateway(visitor)];
    const key = newKey();
    a.send({ type: "send", room: "public", key, text: "  hello\nthere  " });
    const { id, seq, rev, ...ack } = await a.nextOf("ack");
    expect(ack).toEqual({ type: "ack", room: "public", key, repeat: false });
    expect(rev).toBe(seq);
    for (const socket of [a, b, g]) {
      const { createdAt, ...message } = (await socket.nextOf("changes")).changes[0] ?? { createdAt: 0 };
      const author = { author: "ann", avatar: null };
      expect(message).toEqual({
        id,
        seq,
        rev,
        ...author,
        text: "hello\nthere",
        editedAt: null,
        deletedAt: null,
        key,
      });
      expect(Math.abs(createdAt - Date.now())).toBeLessThan(10_000);
    }
    const answer = await post(b, "hello ann");
    expect(await a.nextOf("changes")).toMatchObject({ room: "public", from: rev, to: answer.rev });
    expect(answer.seq).toBe(seq + 1);
    await g.nextOf("changes");
    for (const socket of [a, g]) expect(await socket.quiet(SILENCE_MS)).toEqual([]);
  });

  test("hears nothing of a room that the page does not hold", async () => {
    const [idle, a] = [await openGateway(bob, []), await openGateway(ann)];
    await post(a, "not for everybody");
    expect((await a.nextOf("changes")).changes).toHaveLength(1);
    expect(await idle.quiet(SILENCE_MS)).toEqual([]);
  });
});

describe("a guest", () => {
  test("reads, and is asked to log in to write", async () => {
    const [g, a] = [await openGateway(visitor), await openGateway(ann)];
    await post(a, "premise");
    expect((await g.nextOf("changes")).changes[0]?.text).toBe("premise");
    const key = newKey();
    expect(await g.post("let me in", key)).toEqual({
      type: "refusal",
      key,
      code: "login_required",
      retryable: false,
    });
    expect(await a.quiet(SILENCE_MS)).toEqual([expect.objectContaining({ type: "changes" })]);
  });
});

describe("whoever comes back", () => {
  test("gets exactly what was missed, contiguous, and then what comes", async () => {
    const [a, b] = [await openGateway(ann), await openGateway(bob)];
    const { rev } = await post(a, "seen");
    b.close();
    for (let i = 1; i <= 30; i++) await post(a, `missed ${i}`);
    const back = await openGateway(bob, [{ room: "public", epoch: a.epoch, rev }]);
    const missed = await changesUpTo(back, rev, rev + 30);
    expect(missed.map(({ text }) => text)).toEqual(Array.from({ length: 30 }, (_, i) => `missed ${i + 1}`));
    expect(missed.map((message) => message.rev)).toEqual(Array.from({ length: 30 }, (_, i) => rev + 1 + i));
    await post(a, "live");
    expect(await back.nextOf("changes")).toMatchObject({
      from: rev + 30,
      to: rev + 31,
      changes: [{ text: "live" }],
    });
    expect(await back.quiet(SILENCE_MS)).toEqual([{ type: "caught-up", room: "public", rev: rev + 30 }]);
  });

  test("is told that nothing was missed", async () => {
    const a = await openGateway(ann);
    const { rev } = await post(a, "last");
    const back = await openGateway(bob, [{ room: "public", epoch: a.epoch, rev }]);
    await back.settled();
    expect(await back.quiet(SILENCE_MS)).toEqual([{ type: "caught-up", room: "public", rev }]);
  });

  test("loses and doubles nothing while others go on talking", async () => {
    const a = await openGateway(ann);
    const { rev } = await post(a, "before the storm");
    const storm = Promise.all(Array.from({ length: 100 }, (_, i) => post(a, `storm ${i}`)));
    const readers: Gateway[] = [];
    for (let i = 0; i < 5; i++)
      readers.push(await openGateway(bob, [{ room: "public", epoch: a.epoch, rev }]));
    await storm;
    for (const reader of readers) {
      const heard = await changesUpTo(reader, rev, rev + 100);
      expect(heard.map(({ text }) => text)).toEqual(Array.from({ length: 100 }, (_, i) => `storm ${i}`));
      reader.close();
    }
  });

  test("from before a restored backup, or from a future that is not, loads the page anew", async () => {
    const a = await openGateway(ann);
    const { rev } = await post(a, "now");
    const { epoch } = a;
    const reasonFor = async (held: { epoch: string; rev: number }) => {
      const socket = await openGateway(bob, [{ room: "public", ...held }]);
      const frame = await socket.next();
      socket.close();
      return frame;
    };
    expect(await reasonFor({ epoch, rev: rev - 1 })).toMatchObject({
      type: "changes",
      from: rev - 1,
      to: rev,
    });
    expect(await reasonFor({ epoch: "another", rev })).toEqual({
      type: "reset",
      room: "public",
      reason: "epoch",
    });
    expect(await reasonFor({ epoch, rev: rev + 1 })).toEqual({
      type: "reset",
      room: "public",
      reason: "ahead",
    });
    expect(await reasonFor({ epoch, rev: Number.MAX_SAFE_INTEGER })).toMatchObject({
      type: "reset",
      reason: "ahead",
    });
  });

  test("after more changes than can be made good loads the page anew", async () => {
    const a = await openGateway(ann);
    const { rev } = await post(a, "long ago");
    const { rev: head } = (
      await Promise.all(Array.from({ length: RESUME_MAX_CHANGES + 1 }, (_, i) => post(a, `much ${i}`)))
    ).at(-1) ?? { rev: 0 };
    expect(head).toBe(rev + RESUME_MAX_CHANGES + 1);
    const late = await openGateway(bob, [{ room: "public", epoch: a.epoch, rev }]);
    expect(await late.next()).toEqual({ type: "reset", room: "public", reason: "gap" });
    await post(a, "meanwhile");
    expect((await late.quiet(SILENCE_MS)).filter(isChange)).toEqual([]);
    const inTime = await openGateway(bob, [{ room: "public", epoch: a.epoch, rev: rev + 2 }]);
    expect(await changesUpTo(inTime, rev + 2, head + 1)).toHaveLength(RESUME_MAX_CHANGES);
  });
});

describe("a message sent again", () => {
  test("under its key is acknowledged again and stored once, from any socket of its author", async () => {
    const [a, other, b] = [await openGateway(ann), await openGateway(ann), await openGateway(bob)];
    const key = newKey();
    const first = await a.post("only once", key);
    expect(first).toMatchObject({ type: "ack", repeat: false });
    const repeats = await Promise.all([
      a.post("only once", key),
      other.post(" only once ", key),
      a.post("only once", key),
    ]);
    for (const repeat of repeats) expect(repeat).toEqual({ ...first, repeat: true } as typeof first);
    const heard = (await b.quiet(SILENCE_MS)).filter(isChange);
    expect(heard).toHaveLength(1);
    expect((await post(a, "next")).seq).toBe((first.type === "ack" ? first.seq : 0) + 1);
  });

  test("at the same moment on many sockets is stored once", async () => {
    const sockets = await Promise.all(Array.from({ length: 8 }, () => openGateway(ann)));
    const key = newKey();
    const answers = await Promise.all(sockets.map((socket) => socket.post("all at once", key)));
    expect(new Set(answers.map((answer) => (answer.type === "ack" ? answer.seq : answer.code))).size).toBe(1);
    expect(answers.filter((answer) => answer.type === "ack" && !answer.repeat)).toHaveLength(1);
    for (const socket of sockets) socket.close();
  });

  test("with another text is refused, and the first stays", async () => {
    const [a, b] = [await openGateway(ann), await openGateway(bob)];
    const key = newKey();
    await a.post("the first", key);
    expect(await a.post("the second", key)).toEqual({
      type: "refusal",
      key,
      code: "key_reused",
      retryable: false,
    });
    expect((await b.quiet(SILENCE_MS)).filter(isChange)).toHaveLength(1);
  });

  test("by somebody else under the same key is a message of its own", async () => {
    const [a, b] = [await openGateway(ann), await openGateway(bob)];
    const key = newKey();
    const [mine, theirs] = [await a.post("same", key), await b.post("same", key)];
    expect(mine).toMatchObject({ type: "ack", repeat: false });
    expect(theirs).toMatchObject({ type: "ack", repeat: false });
  });
});

describe("a refused frame", () => {
  test.each([
    ["no JSON", "hello"],
    ["empty text", ""],
    ["a list", "[]"],
    ["an unknown type", { type: "shout" }],
    ["a short key", { type: "send", room: "public", key: "1234567", text: "x" }],
    ["a long key", { type: "send", room: "public", key: "x".repeat(65), text: "x" }],
    ["a key of other characters", { type: "send", room: "public", key: "1234 5678", text: "x" }],
    ["a negative number held", { type: "resume", room: "public", epoch: "x", rev: -1 }],
    ["a fraction held", { type: "hello", rooms: [{ room: "public", epoch: "x", rev: 0.5 }] }],
    [
      "101 rooms",
      { type: "hello", rooms: Array.from({ length: 101 }, () => ({ room: "public", epoch: "x", rev: 0 })) },
    ],
  ])("is answered, and the socket lives: %s", async (_, frame) => {
    const a = await openGateway(ann);
    a.send(frame);
    expect(await a.next()).toEqual({ type: "refusal", key: null, code: "bad_request", retryable: false });
    expect(await a.post("still here")).toMatchObject({ type: "ack" });
    a.close();
  });

  test.each([
    ["no type", { room: "public", text: "x" }],
    ["no text", { type: "send", room: "public" }],
    ["an id that is text", { type: "edit", room: "public", id: "16", text: "x" }],
  ])("keeps its key even where it is no frame of this protocol: %s", async (_, frame) => {
    const a = await openGateway(ann);
    const key = newKey();
    a.send({ ...frame, key });
    expect(await a.next()).toEqual({ type: "refusal", key, code: "bad_request", retryable: false });
    a.close();
  });

  const cases: [string, string, string, string][] = [
    ["blank", " \n\u3000", "public", "blank"],
    ["too long", "😀".repeat(1001), "public", "too_long"],
    ["with NUL", "a\0b", "public", "bad_characters"],
    ["with half a surrogate pair", "a\ud83d", "public", "bad_characters"],
    ["to no room", "hello", "nowhere", "not_found"],
  ];
  test.each(cases)("keeps its key, so that its sender knows which: %s", async (_, text, room, code) => {
    const a = await openGateway(ann);
    const key = newKey();
    expect(await a.post(text, key, room)).toMatchObject({ type: "refusal", key, code, retryable: false });
    expect(await a.post("😀".repeat(1000), key)).toMatchObject({ type: "ack", repeat: false });
    a.close();
  });

  test("says when to try again after too many, and the same key is then taken", async () => {
    const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "2", CHAT_MESSAGE_RATE_WINDOW: "2" });
    const socket = await openGateway(await member(strict, "ann"));
    await post(socket, "one");
    await post(socket, "two");
    const key = newKey();
    const refusal = await socket.post("three", key);
    const retryAfter = refusal.type === "refusal" ? (refusal.retryAfter ?? 0) : 0;
    expect(refusal).toEqual({ type: "refusal", key, code: "rate_limited", retryable: true, retryAfter });
    expect([1, 2]).toContain(retryAfter);
    await Bun.sleep(retryAfter * 1000 + 50);
    expect(await socket.post("three", key)).toMatchObject({ type: "ack", repeat: false });
    await strict.stop();
  });
});

describe("everybody sees the same", () => {
  test("in one sender's order, however fast", async () => {
    const [a, b] = [await openGateway(ann), await openGateway(bob)];
    const { rev } = await post(a, "start");
    const acks = await Promise.all(Array.from({ length: 50 }, (_, i) => post(a, `step ${i}`)));
    expect(acks.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => rev + 1 + i));
    const heard = await changesUpTo(b, rev - 1, rev + 50);
    expect(heard.map(({ text }) => text)).toEqual([
      "start",
      ...Array.from({ length: 50 }, (_, i) => `step ${i}`),
    ]);
  });

  test("with numbers that leave nothing out, under 200 messages of five members at once", async () => {
    const people = await Promise.all(Array.from({ length: 5 }, (_, i) => member(world, `talker${i}`)));
    const sockets = await Promise.all(people.map((person) => openGateway(person)));
    const reader = await openGateway(visitor);
    const { rev } = await post(sockets[0] as Gateway, "ready");
    const sends = sockets.flatMap((socket, who) =>
      Array.from({ length: 40 }, (_, i) => post(socket, `${who} says ${i}`)),
    );
    const acks = await Promise.all(sends);
    const numbers = Array.from({ length: 200 }, (_, i) => rev + 1 + i);
    expect(acks.map(({ seq }) => seq).toSorted((x, y) => x - y)).toEqual(numbers);
    const heard = await changesUpTo(reader, rev - 1, rev + 200);
    expect(heard.slice(1).map(({ seq }) => seq)).toEqual(numbers);
    for (const [i, socket] of sockets.entries()) {
      expect(await changesUpTo(socket, rev - 1, rev + 200)).toEqual(heard);
      const own = heard.filter(({ author }) => author === `talker${i}`).map(({ text }) => text);
      expect(own.slice(i === 0 ? 1 : 0)).toEqual(Array.from({ length: 40 }, (_, n) => `${i} says ${n}`));
    }
  });

  test("whichever way it was sent: by form with the form's key, by the other socket with one of its own", async () => {
    const [b, old] = [await openGateway(bob), await openChat(ann, "public")];
    const form = await ann.openForm("/rooms/public", { fields: ["text"] });
    expect((await ann.sendForm(form, { text: "by form" })).status).toBe(303);
    const byForm = (await b.nextOf("changes")).changes[0];
    expect(byForm).toMatchObject({ text: "by form", author: "ann", key: form.filled.key ?? "none" });
    expect(await old.next()).toMatchObject({ message: "by form", username: "ann" });

    old.send({ message: "by the old socket" });
    const byOld = (await b.nextOf("changes")).changes[0];
    expect(byOld).toMatchObject({ text: "by the old socket", author: "ann", seq: (byForm?.seq ?? 0) + 1 });
    expect(byOld?.key).toMatch(/^[\w-]{8,64}$/);
    const ack = await post(b, "by the new one");
    await old.next(({ message }) => message === "by the old socket");
    expect(await old.next()).toMatchObject({
      message: "by the new one",
      username: "bob",
      id: ack.id,
      seq: ack.seq,
    });
  });
});
