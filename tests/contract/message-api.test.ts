import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, type Answer, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { makeRoom } from "../../src/testing/rooms.ts";
import { newKey, openChat, openGateway, type ChatFrame } from "../../src/testing/socket.ts";
import { someone } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

setDefaultTimeout(30_000);

const PUBLIC = "/api/chat/rooms/public/messages/";

interface Shown {
  id: number;
  username: string;
  content: string;
  createdAt: string;
  seq: number;
  editedAt?: string;
}

let world: World;
let ann: Client;
let bob: Client;
beforeAll(async () => {
  world = await startWorld();
  [ann, bob] = [await member(world, "ann"), await member(world, "bob")];
});
afterAll(() => world.stop());

const history = async (path = PUBLIC, reader = ann) =>
  ((await reader.get(`${path}?limit=200`)).json() as { messages: Shown[] }).messages;
const last = async (path = PUBLIC, reader = ann) => (await history(path, reader)).at(-1);
const headOf = async (slug = "public") => {
  const sql = "SELECT head FROM rooms WHERE slug = ?";
  return (await inDatabase<{ head: number }>(world, sql, slug))[0]?.head;
};
const says = async (who: Client, content: string, path = PUBLIC): Promise<Shown> => {
  const answer = await who.post(path, { content });
  expect(answer.status).toBe(201);
  return answer.json() as Shown;
};
const at = ({ id }: Shown, path = PUBLIC) => `${path}${id}/`;

/** Changed nothing, and was refused with this status and text. */
async function refused(act: () => Promise<Answer>, status: number, error?: string): Promise<void> {
  const before = await history();
  const answer = await act();
  if (error) expectJson(answer, status, { error });
  else expectRefused(answer, status);
  expect(await history()).toEqual(before);
}

describe("a program that writes", () => {
  test("gets its message as the history shows it, and everybody reads it live", async () => {
    const reader = await openGateway(await guest(world));
    const old = await openChat(bob, "public");
    const message = await says(ann, "  hello from a program ");
    expect(message).toMatchObject({ username: "ann", content: "hello from a program" });
    expect(message).toEqual((await last()) as Shown);
    expect(Object.keys(message).toSorted()).toEqual(
      ["id", "username", "content", "profilePic", "createdAt", "seq"].toSorted(),
    );
    const { changes } = await reader.nextOf("changes", (frame) => frame.to === message.seq);
    expect(changes).toMatchObject([{ id: message.id, author: "ann", text: "hello from a program" }]);
    expect(await old.next()).toMatchObject({ message: "hello from a program", username: "ann" });
    for (const socket of [reader, old]) socket.close();
  });

  test("may repeat what it is not sure of: with its key it is stored once", async () => {
    const sent = { content: "once", key: newKey() };
    const first = await ann.post(PUBLIC, sent);
    const again = await Promise.all([1, 2, 3].map(() => ann.post(PUBLIC, sent)));
    expect([first, ...again].map(({ status }) => status)).toEqual([201, 200, 200, 200]);
    for (const answer of again) expect(answer.json()).toEqual(first.json());
    expect((await history()).filter(({ content }) => content === "once")).toHaveLength(1);
    await refused(() => ann.post(PUBLIC, { ...sent, content: "another" }), 409);
    expect((await bob.post(PUBLIC, sent)).status).toBe(201);
  });

  test("without a key says the same twice", async () => {
    await says(ann, "knock");
    await says(ann, "knock");
    expect((await history()).slice(-2).map(({ content }) => content)).toEqual(["knock", "knock"]);
  });

  test("is told what is wrong with its text or key", async () => {
    for (const content of [undefined, null, "", " \n\t "])
      await refused(() => ann.post(PUBLIC, { content }), 422, "Message is blank");
    await refused(() => ann.post(PUBLIC, { content: "x".repeat(1001) }), 422, "message_too_long");
    for (const content of ["a\0b", "a\ud800b"])
      await refused(
        () => ann.post(PUBLIC, { content }),
        422,
        "Message contains characters that cannot be stored",
      );
    for (const key of ["short", "x".repeat(65), "with space", "юникод-ключ", ""])
      await refused(
        () => ann.post(PUBLIC, { content: "hello", key }),
        400,
        "Invalid 'key': must be 8 to 64 characters of A-Z a-z 0-9 _ -",
      );
  });

  test("decides on nothing but the text", async () => {
    const claims = { content: "mine", id: "1", seq: "1", username: "bob", author: "bob", createdAt: "0" };
    const message = (await ann.post(PUBLIC, claims)).json() as Shown;
    expect(message).toMatchObject({ username: "ann", content: "mine", seq: (await headOf()) as number });
  });

  test("writes as fast as people may, and is told how long to wait", async () => {
    const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "2", CHAT_MESSAGE_RATE_WINDOW: "30" });
    const writer = await member(strict, "writer");
    const { id } = (await writer.post(PUBLIC, { content: "one" })).json() as Shown;
    expect((await writer.patch(`${PUBLIC}${id}/`, { content: "two" })).status).toBe(200);
    for (const answer of [
      await writer.post(PUBLIC, { content: "three" }),
      await writer.patch(`${PUBLIC}${id}/`, { content: "three" }),
    ]) {
      expectJson(answer, 429, { error: "rate_limited" });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(20);
    }
    expect((await writer.delete(`${PUBLIC}${id}/`)).status).toBe(204);
    await strict.stop();
  });
});

describe("whoever edits a message of theirs", () => {
  test("gets it as it is now, in its old place, with the time of the edit; others look as ever", async () => {
    const before = await says(ann, "helo");
    const after = await says(ann, "later");
    const reader = await openGateway(await guest(world));
    const answer = await ann.patch(at(before), { content: " hello " });
    expect(answer.status).toBe(200);
    const edited = answer.json() as Shown;
    const { editedAt, ...same } = edited;
    expect(same).toEqual({ ...before, content: "hello" });
    expect(editedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/);
    expect((await history()).slice(-2)).toEqual([edited, after]);
    const { changes, to } = await reader.nextOf("changes");
    expect(changes).toMatchObject([{ id: before.id, seq: before.seq, rev: to, text: "hello" }]);
    reader.close();
  });

  test("to what it says already changes nothing", async () => {
    const message = await says(ann, "as it is");
    const head = await headOf();
    expectJson(await ann.patch(at(message), { content: "as it is" }), 200, message);
    expect(await headOf()).toBe(head);
    expect((await ann.patch(at(message), { content: "as it was" })).status).toBe(200);
    expect(await headOf()).toBe((head ?? NaN) + 1);
  });

  test("is told what is wrong with the new text", async () => {
    const message = await says(ann, "fine");
    for (const content of [undefined, " ", "x".repeat(1001), "a\0b"])
      await refused(() => ann.patch(at(message), { content }), 422);
  });
});

describe("whoever deletes a message of theirs", () => {
  test("gets an empty answer, and nobody reads it any more", async () => {
    const message = await says(ann, "not for long");
    const reader = await openGateway(await guest(world));
    const answer = await ann.delete(at(message));
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect((await history()).map(({ id }) => id)).not.toContain(message.id);
    const { changes } = await reader.nextOf("changes");
    expect(changes).toMatchObject([{ id: message.id, text: "", deletedAt: expect.any(Number) }]);
    reader.close();
  });

  test("finds nothing to delete or to edit afterwards", async () => {
    const message = await says(ann, "once is enough");
    expect((await ann.delete(at(message))).status).toBe(204);
    await refused(() => ann.delete(at(message)), 404, "Not found");
    await refused(() => ann.patch(at(message), { content: "again" }), 404, "Not found");
  });
});

test("a repeated send is answered with what the message has become", async () => {
  const sent = { content: "first", key: newKey() };
  const message = (await ann.post(PUBLIC, sent)).json() as Shown;
  await ann.patch(at(message), { content: "second" });
  const again = await ann.post(PUBLIC, sent);
  expect(again.status).toBe(200);
  expect(again.json()).toMatchObject({ id: message.id, content: "second" });
});

test("sockets of existing clients hear of neither edits nor deletions, only of what is new", async () => {
  const old = await openChat(bob, "public");
  const message = await says(ann, "seen by all");
  expect(await old.next()).toMatchObject({ message: "seen by all" });
  expect((await ann.patch(at(message), { content: "changed" })).status).toBe(200);
  expect((await ann.delete(at(message))).status).toBe(204);
  await says(ann, "and on");
  const heard: ChatFrame = await old.next();
  expect(heard).toMatchObject({ message: "and on" });
  expect(await old.quiet(60)).toEqual([]);
  old.close();
});

describe("nobody", () => {
  const acts: Record<string, (who: Client, path: string, id: number) => Promise<Answer>> = {
    writes: (who, path) => who.post(path, { content: "let me in" }),
    edits: (who, path, id) => who.patch(`${path}${id}/`, { content: "let me in" }),
    deletes: (who, path, id) => who.delete(`${path}${id}/`),
  };

  describe.each(Object.keys(acts))("%s", (name) => {
    const act = (who: Client, path: string, id: number) => acts[name]?.(who, path, id) as Promise<Answer>;

    test("without a token, or from another site", async () => {
      const { id } = await says(ann, "safe");
      const paths: Record<string, [string, string]> = {
        writes: ["POST", PUBLIC],
        edits: ["PATCH", `${PUBLIC}${id}/`],
        deletes: ["DELETE", `${PUBLIC}${id}/`],
      };
      const [method, path] = paths[name] as [string, string];
      const token = { "x-csrftoken": ann.cookies.get("csrftoken") ?? "", "content-type": "application/json" };
      const body = '{"content":"forged"}';
      const sent = (headers: Record<string, string>) => () =>
        ann.request(method, path, { headers, ...(method !== "DELETE" && { body }) });
      await refused(sent({ "content-type": "application/json" }), 403);
      await refused(sent({ ...token, "x-csrftoken": "x".repeat(32) }), 403);
      await refused(sent({ ...token, origin: "http://evil.example" }), 403);
      await refused(sent({ ...token, "sec-fetch-site": "cross-site" }), 403);
      expect((await sent(token)()).status).toBeLessThan(300);
    });

    test("as a guest, or when the session is over", async () => {
      const { id } = await says(ann, "safe");
      await refused(async () => act(await guest(world), PUBLIC, id), 401, "Требуется авторизация");
      const carl = await member(world, `leaver-who-${name}`);
      const own = await says(carl, "my last words");
      const cookies = new Map(carl.cookies);
      await carl.logout();
      carl.cookies.set("sessionid", cookies.get("sessionid") ?? "");
      await refused(() => act(carl, PUBLIC, own.id), 401, "Требуется авторизация");
    });

    test("in a room that is not theirs, which answers as one that does not exist", async () => {
      const slug = await makeRoom(ann, `Private, ${name}`);
      const path = `/api/chat/rooms/${slug}/messages/`;
      const { id } = await says(ann, "among us", path);
      const nowhere = await act(bob, "/api/chat/rooms/nowhere-at-all/messages/", id);
      const there = await act(bob, path, id);
      expect([there.status, there.text]).toEqual([nowhere.status, nowhere.text]);
      expectJson(there, 404, { error: "Not found" });
      expect(await history(path)).toHaveLength(1);
      expect((await act(ann, path, id)).status).toBeLessThan(300);
    });

    test("in a room whose slug is no slug", async () => {
      const { id } = await says(ann, "safe");
      for (const slug of ["ab", "a.b.c", "a%20b"])
        await refused(() => act(ann, `/api/chat/rooms/${slug}/messages/`, id), 400, "Invalid room slug");
      await refused(() => act(ann, "/api/chat/rooms/%zz/messages/", id), 404);
    });
  });

  test.each(["edits", "deletes"])("%s the message of somebody else", async (name) => {
    const { id } = await says(ann, "mine");
    await refused(() => acts[name]?.(bob, PUBLIC, id) as Promise<Answer>, 403, "Forbidden");
    expect((await acts[name]?.(ann, PUBLIC, id))?.status).toBeLessThan(300);
  });

  test.each(["edits", "deletes"])("%s a message by the address of another room", async (name) => {
    const path = `/api/chat/rooms/${await makeRoom(ann, "Elsewhere")}/messages/`;
    const [here, there] = [await says(ann, "in public"), await says(ann, "in private", path)];
    await refused(() => acts[name]?.(ann, path, here.id) as Promise<Answer>, 404, "Not found");
    await refused(() => acts[name]?.(ann, PUBLIC, there.id) as Promise<Answer>, 404, "Not found");
    expect(await history(path)).toEqual([there]);
  });

  test("finds a message by what is no number of one", async () => {
    for (const id of ["0", "-1", "1.5", "1e3", "abc", "99999999999999999999", "%00", "__proto__"]) {
      expectRefused(await ann.patch(`${PUBLIC}${id}/`, { content: "hello" }), 404);
      expectRefused(await ann.delete(`${PUBLIC}${id}/`), 404);
    }
  });

  test("muted, or in a closed room, writes or edits; what they have said they may still delete", async () => {
    const carl = await member(world, "carl");
    const { id } = await says(carl, "while I could");
    await inDatabase(world, "UPDATE users SET is_muted = true WHERE name = 'carl'");
    const muted = { error: "muted" };
    expectJson(await carl.post(PUBLIC, { content: "hello" }), 403, muted);
    expectJson(await carl.patch(`${PUBLIC}${id}/`, { content: "hello" }), 403, muted);
    expect((await carl.delete(`${PUBLIC}${id}/`)).status).toBe(204);

    const open = await says(ann, "before it closes");
    await inDatabase(world, "UPDATE rooms SET is_closed = true WHERE slug = 'public'");
    try {
      expectJson(await ann.post(PUBLIC, { content: "hello" }), 403, { error: "room_closed" });
      expectJson(await ann.patch(at(open), { content: "hello" }), 403, { error: "room_closed" });
      expect((await ann.delete(at(open))).status).toBe(204);
    } finally {
      await inDatabase(world, "UPDATE rooms SET is_closed = false WHERE slug = 'public'");
    }
  });

  test("sends anything but text for a text", async () => {
    const message = await says(ann, "safe");
    const notText = [["a", "list"], [], {}, { $ne: null }, 123456, 0, -1, 1.5, true, false];
    for (const value of notText) {
      await refused(() => ann.post(PUBLIC, { content: value }), 400);
      await refused(() => ann.post(PUBLIC, { content: "hello", key: value }), 400);
      await refused(() => ann.patch(at(message), { content: value }), 400);
    }
    const bodies = [
      "",
      "nonsense",
      "null",
      '"text"',
      "[1,2]",
      "{".repeat(1000),
      `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
      '{"content":1e999}',
      '{"content":NaN}',
      '{"__proto__":{"content":"polluted"}}',
      '{"constructor":{"prototype":{"content":"polluted"}}}',
    ];
    for (const body of bodies) {
      for (const act of [() => ann.post(PUBLIC, body), () => ann.patch(at(message), body)]) {
        const before = await history();
        const { status } = await act();
        expect({ body: body.slice(0, 40), refused: status >= 400 && status < 500 }).toEqual({
          body: body.slice(0, 40),
          refused: true,
        });
        expect(await history()).toEqual(before);
      }
    }
    expectRefused(await ann.post(PUBLIC, { content: "x".repeat(300_000) }), 413);
    expect(({} as Record<string, unknown>)["content"]).toBeUndefined();
  });
});

test("what staff delete of others is in the log, by whatever door", async () => {
  const root = await someone(world, "superuser", "root");
  const socket = await openGateway(root);
  const [one, two] = [await says(bob, "by the API"), await says(bob, "by the socket")];
  expect((await root.delete(at(one))).status).toBe(204);
  const key = newKey();
  socket.send({ type: "remove", room: "public", key, id: two.id });
  await socket.nextOf("ack", (frame) => frame.key === key);
  socket.close();
  const { entries } = (await root.get("/api/admin/audit/?action=message.removed")).json() as {
    entries: { subject: string; actorName: string }[];
  };
  expect(entries.slice(0, 2).map(({ subject, actorName }) => `${actorName} ${subject}`)).toEqual([
    `root message:${two.id}`,
    `root message:${one.id}`,
  ]);
  const own = await says(ann, "my own business");
  expect((await ann.delete(at(own))).status).toBe(204);
  const after = (await root.get("/api/admin/audit/?action=message.removed")).json();
  expect(after).toEqual({ entries, next: null });
});

test("pages of trusted origins may ask for it", async () => {
  for (const [method, path] of [
    ["PATCH", `${PUBLIC}1/`],
    ["DELETE", `${PUBLIC}1/`],
  ] as const) {
    const headers = { origin: "http://localhost:5173", "access-control-request-method": method };
    const answer = await ann.request("OPTIONS", path, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-methods")).toContain(method);
  }
});
