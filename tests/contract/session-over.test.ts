/** Whoever is signed out where this server hears of it later than they write: each door asks the database, and is shut. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { expectJson } from "../../src/testing/answers.ts";
import { member, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { formTo } from "../../src/testing/html.ts";
import { onNodes } from "../../src/testing/installation.ts";
import { newKey, openChat, openGateway } from "../../src/testing/socket.ts";
import { someone } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

setDefaultTimeout(30_000);

const PUBLIC = "/api/chat/rooms/public/messages/";
const ROOM = "/rooms/public";
const CLOSE_SESSION_OVER = 4401;

interface Shown {
  id: number;
  username: string;
  content: string;
}

let world: World;
let ann: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
});
afterAll(() => world.stop());

/** Who has written what, as everybody sees it. */
const history = async () => {
  const { messages } = (await ann.get(`${PUBLIC}?limit=200`)).json() as { messages: Shown[] };
  return messages.map(({ username, content }) => `${username}: ${content}`);
};
const isSignedIn = async (who: Client) =>
  ((await who.get("/api/auth/session/")).json() as { authenticated: boolean }).authenticated;

/** Somebody new who has just written. */
async function writer(name: string) {
  const who = await member(world, name);
  const answer = await who.post(PUBLIC, { content: "while I could" });
  expect(answer.status).toBe(201);
  return { who, id: (answer.json() as Shown).id };
}

/** Of somebody: a server on a file looks for what others have done twice a second, a node is told. Here nobody tells it. */
async function endSessions(name: string): Promise<void> {
  const sql = `DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE name = '${name}')`;
  await inDatabase(world, { sqlite: sql, postgres: `SET session_replication_role = replica; ${sql}` });
}

/** Until they act this server takes them for signed in. Nothing of it is done, and from then on it knows better. */
async function isOver(name: string, who: Client, act: () => Promise<void>): Promise<void> {
  const before = await history();
  expect(await isSignedIn(who)).toBe(true);
  await endSessions(name);
  await act();
  expect(await history()).toEqual(before);
  expect(await isSignedIn(who)).toBe(false);
}

describe("by the API", () => {
  const acts: Record<string, (who: Client, id: number) => ReturnType<Client["post"]>> = {
    posts: (who) => who.post(PUBLIC, { content: "too late" }),
    edits: (who, id) => who.patch(`${PUBLIC}${id}/`, { content: "too late" }),
    deletes: (who, id) => who.delete(`${PUBLIC}${id}/`),
  };

  test.each(Object.entries(acts))("whoever %s is asked to log in", async (name, act) => {
    const { who, id } = await writer(`rest-${name}`);
    await isOver(`rest-${name}`, who, async () =>
      expectJson(await act(who, id), 401, { error: "Требуется авторизация" }),
    );
  });

  test("staff take away nothing of others, and nothing is noted", async () => {
    const { id } = await writer("somebody");
    const warden = await someone(world, "staff", "warden");
    await isOver("warden", warden, async () =>
      expectJson(await warden.delete(`/api/admin/messages/${id}/`), 401, { error: "Требуется авторизация" }),
    );
    const noted = await inDatabase(world, "SELECT 1 FROM audit WHERE action = 'message.removed'");
    expect(noted).toEqual([]);
  });

  test("what was stored before is a repeat, and new again after logging in", async () => {
    const { who } = await writer("again");
    const [stored, lost] = [
      { content: "stored", key: newKey() },
      { content: "on its way", key: newKey() },
    ];
    expect((await who.post(PUBLIC, stored)).status).toBe(201);
    await isOver("again", who, async () => {
      // A server on a file may have looked by itself by now, and then nobody is asked.
      if (onNodes) expect((await who.post(PUBLIC, stored)).status).toBe(200);
      expect((await who.post(PUBLIC, lost)).status).toBe(401);
    });
    await who.login("again");
    expect((await who.post(PUBLIC, stored)).status).toBe(200);
    expect((await who.post(PUBLIC, lost)).status).toBe(201);
    expect((await history()).at(-1)).toBe("again: on its way");
  });
});

describe("by the forms of pages", () => {
  test("whoever posts is asked to log in, with the text", async () => {
    const { who } = await writer("form-posts");
    const form = await who.openForm(ROOM, { action: `${ROOM}/messages` });
    await isOver("form-posts", who, async () => {
      const answer = await who.sendForm(form, { text: "too late" });
      expect(answer.status).toBe(401);
      expect(formTo(answer.text, "/login").filled).toMatchObject({ next: ROOM, text: "too late" });
    });
  });

  test("whoever edits is asked to log in, with the text", async () => {
    const { who, id } = await writer("form-edits");
    const path = `${ROOM}/messages/${id}`;
    const form = await who.openForm(path, { action: `${path}/edit` });
    await isOver("form-edits", who, async () => {
      const answer = await who.sendForm(form, { text: "too late" });
      expect(answer.status).toBe(401);
      expect(formTo(answer.text, "/login").filled).toMatchObject({ next: path, text: "too late" });
    });
  });

  test("whoever removes is asked to log in", async () => {
    const { who, id } = await writer("form-removes");
    const path = `${ROOM}/messages/${id}`;
    const form = await who.openForm(path, { action: `${path}/remove` });
    await isOver("form-removes", who, async () => {
      expect((await who.sendForm(form)).status).toBe(401);
    });
  });
});

describe("by a socket", () => {
  const frames: Record<string, (id: number) => object> = {
    posts: () => ({ type: "send", text: "too late" }),
    edits: (id) => ({ type: "edit", id, text: "too late" }),
    removes: (id) => ({ type: "remove", id }),
  };

  test.each(Object.entries(frames))(
    "whoever %s finds it closed, without an answer",
    async (name, frameOf) => {
      const { who, id } = await writer(`socket-${name}`);
      const socket = await openGateway(who);
      expect((await socket.post("here I am")).type).toBe("ack");
      await socket.quiet(0);
      await isOver(`socket-${name}`, who, async () => {
        socket.send({ room: "public", key: newKey(), ...frameOf(id) });
        expect((await socket.closed).code).toBe(CLOSE_SESSION_OVER);
        expect(await socket.quiet(0)).toEqual([]);
      });
    },
  );

  test("what was on its way is stored after logging in, by its key", async () => {
    const { who } = await writer("outbox");
    const socket = await openGateway(who);
    const key = newKey();
    await isOver("outbox", who, async () => {
      expect(await socket.post("kept", key).catch(({ message }: Error) => message)).toContain("4401");
    });
    await who.login("outbox");
    expect(await (await openGateway(who)).post("kept", key)).toMatchObject({ type: "ack", repeat: false });
    expect((await history()).at(-1)).toBe("outbox: kept");
  });

  test("of the original protocol it is the same; another session of theirs goes on", async () => {
    const { who } = await writer("original");
    const socket = await openChat(who, "public");
    await isOver("original", who, async () => {
      socket.send({ message: "too late" });
      expect((await socket.closed).code).toBe(CLOSE_SESSION_OVER);
      expect(await socket.quiet(0)).toEqual([]);
    });
    await who.login("original");
    const [first, other] = [await openChat(who, "public"), await openChat(ann, "public")];
    for (const each of [first, other]) {
      each.send({ message: "on time" });
      expect(await first.next()).toMatchObject({ message: "on time" });
    }
  });
});
