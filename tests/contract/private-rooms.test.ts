import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { expectJson } from "../../src/testing/answers.ts";
import { guest, member, type Answer, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { invite, join, makeRoom, press } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

/** As long as each other, so that no length tells them apart. */
const HALL = "the-secret-hall";
const NOWHERE = "nowhere-at-all1";
/** As long as the number of the message that is there. */
const NO_MESSAGE = 900_001;

const SECRETS = ["Committee", "what we speak of", "the plan", "insider"];

type Outsider = "guest" | "stranger" | "removed" | "left";
const OUTSIDERS: Outsider[] = ["guest", "stranger", "removed", "left"];

let world: World;
let owner: Client;
let insider: Client;
let outsiders: Record<Outsider, Client>;
/** A message of the room, and its number. */
let said: number;

beforeAll(async () => {
  world = await startWorld();
  await inDatabase(world, {
    sqlite: "INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', 500000)",
    postgres: "SELECT setval('messages_id_seq', 500000)",
  });
  owner = await member(world, "owner");
  insider = await member(world, "insider");
  // Compressed, a page is as long as what varies in it happens to be.
  const plain = { headers: { "accept-encoding": "identity" } };
  outsiders = {
    guest: await guest(world, plain),
    stranger: await member(world, "stranger", plain),
    removed: await member(world, "removed", plain),
    left: await member(world, "left", plain),
  };
  await makeRoom(owner, "Committee", HALL);
  await press(owner, HALL, "settings", { name: "Committee", topic: "what we speak of" });
  const link = await invite(owner, HALL);
  for (const who of [insider, outsiders.removed, outsiders.left]) await join(who, link);
  await insider.post(`/rooms/${HALL}/messages`, { text: "the plan" }, { as: "form" });
  await press(owner, HALL, "members/removed/remove");
  await press(outsiders.left, HALL, "leave");
  const history = (await insider.get(`/api/chat/rooms/${HALL}/messages/`)).json();
  said = (history as { messages: { id: number }[] }).messages[0]?.id ?? 0;
});
afterAll(() => world.stop());

/** An answer but for the slug that was asked for, and what is drawn anew for every answer. */
function described({ status, headers, text }: Answer, slug: string) {
  const kept = [...headers].filter(([name]) => !["date", "set-cookie"].includes(name));
  const plain = (content: string) =>
    content
      .replaceAll(slug, "SLUG")
      .replaceAll(/value="[A-Za-z0-9]{64}"/g, 'value="TOKEN"')
      // The whole of a header: each request has a name of its own.
      .replace(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "UUID");
  return { status, headers: kept.map(([name, value]) => `${name}: ${plain(value)}`), body: plain(text) };
}

function tells(text: string): string[] {
  return SECRETS.filter((secret) => text.includes(secret));
}

describe("a room is to whoever does not belong there as if it did not exist:", () => {
  const pages: Record<string, (slug: string) => string> = {
    "its page": (slug) => `/rooms/${slug}`,
    "its page with a query": (slug) => `/rooms/${slug}?x=1`,
    "a page of its past": (slug) => `/rooms/${slug}?before=${said + 1}`,
    "a message": (slug) => `/rooms/${slug}/messages/${said}`,
    "a message that is not there": (slug) => `/rooms/${slug}/messages/${NO_MESSAGE}`,
    "its settings": (slug) => `/rooms/${slug}/settings`,
  };

  test("the premise, that its people see all of that", async () => {
    for (const [name, path] of Object.entries(pages)) {
      if (name === "a message that is not there") continue;
      const { status, text } = await insider.get(path(HALL), { accept: "text/html" });
      expect({ name, status, tells: tells(text).includes("Committee") }).toEqual({
        name,
        status: 200,
        tells: true,
      });
    }
    expect(tells((await insider.get(`/rooms/${HALL}`)).text)).toEqual(SECRETS);
  });

  for (const who of OUTSIDERS) {
    test.each(Object.keys(pages))(`%s, to somebody who is ${who}`, async (name) => {
      const path = pages[name] as (slug: string) => string;
      for (const headers of [
        { accept: "text/html" },
        { "hx-request": "true", "hx-request-type": "partial" },
      ]) {
        const [known, unknown] = [
          await outsiders[who].get(path(HALL), headers),
          await outsiders[who].get(path(NOWHERE), headers),
        ];
        expect(known.status).toBe(404);
        expect(described(known, HALL)).toEqual(described(unknown, NOWHERE));
        expect(tells(known.text)).toEqual([]);
      }
    });

    test(`a message under another room's address, to somebody who is ${who}`, async () => {
      const [known, unknown] = [
        await outsiders[who].get(`/rooms/public/messages/${said}`),
        await outsiders[who].get(`/rooms/public/messages/${NO_MESSAGE}`),
      ];
      expect(known.status).toBe(404);
      expect(described(known, String(said))).toEqual(described(unknown, String(NO_MESSAGE)));
    });
  }

  const forms: Record<string, [path: (slug: string) => string, fields: Record<string, string>]> = {
    "to write": [(slug) => `/rooms/${slug}/messages`, { text: "let me in" }],
    "to remove a message": [(slug) => `/rooms/${slug}/messages/${said}/remove`, {}],
    "to describe it": [(slug) => `/rooms/${slug}/settings`, { name: "mine", topic: "" }],
    "to put somebody out": [(slug) => `/rooms/${slug}/members/insider/remove`, {}],
    "to let somebody back": [(slug) => `/rooms/${slug}/members/removed/readmit`, {}],
    "to make a moderator": [(slug) => `/rooms/${slug}/members/insider/promote`, {}],
    "to make a member": [(slug) => `/rooms/${slug}/members/insider/demote`, {}],
    "to hand it over": [(slug) => `/rooms/${slug}/members/stranger/hand-over`, {}],
    "to invite": [(slug) => `/rooms/${slug}/invitations`, { days: "", uses: "" }],
    "to revoke": [(slug) => `/rooms/${slug}/invitations/1/revoke`, {}],
    "to leave": [(slug) => `/rooms/${slug}/leave`, {}],
    "to delete": [(slug) => `/rooms/${slug}/delete`, { confirmation: "Committee" }],
  };

  for (const who of OUTSIDERS) {
    test.each(Object.keys(forms))(`the form %s, to somebody who is ${who}`, async (name) => {
      const [path, fields] = forms[name] ?? [() => "", {}];
      const send = (slug: string) =>
        outsiders[who].post(path(slug), fields, { as: "form", headers: { accept: "text/html" } });
      const before = await everything();
      const [known, unknown] = [await send(HALL), await send(NOWHERE)];
      expect(described(known, HALL)).toEqual(described(unknown, NOWHERE));
      expect(known.status).toBe(who === "guest" && name === "to write" ? 401 : unknown.status);
      expect([303, 401, 404]).toContain(known.status);
      expect(tells(known.text)).toEqual([]);
      expect(await everything()).toEqual(before);
    });

    test(`the removal of one of its messages, to somebody who is ${who}`, async () => {
      const remove = (id: number) =>
        outsiders[who].post(`/rooms/public/messages/${id}/remove`, {}, { as: "form" });
      const [known, unknown] = [await remove(said), await remove(NO_MESSAGE)];
      expect(described(known, String(said))).toEqual(described(unknown, String(NO_MESSAGE)));
      expect((await insider.get(`/rooms/${HALL}`)).text).toContain("the plan");
    });
  }

  for (const who of OUTSIDERS) {
    test(`every frame of the page's socket, to somebody who is ${who}`, async () => {
      const inside = await openGateway(insider, []);
      const { epoch } = inside;
      const ask = async (room: string, from: Client): Promise<ServerFrame[]> => {
        const socket = await openGateway(from, [{ room, epoch, rev: 0 }]);
        socket.send({ type: "resume", room, epoch, rev: 0 });
        socket.send({ type: "resume", room, epoch: "another", rev: 999 });
        socket.send({ type: "send", room, key: "12345678", text: "let me in" });
        socket.send({ type: "read", room, seq: 1 });
        await socket.settled();
        const frames = await socket.quiet(0);
        socket.close();
        return frames;
      };
      const known = await ask(HALL, outsiders[who]);
      const plain = (frames: ServerFrame[], slug: string) => JSON.stringify(frames).replaceAll(slug, "SLUG");
      expect(plain(known, HALL)).toBe(plain(await ask(NOWHERE, outsiders[who]), NOWHERE));
      const answers = ["removed", "removed", "removed", "refusal", ...(who === "guest" ? [] : ["refusal"])];
      expect(known.map(({ type }): string => type)).toEqual(answers);
      expect(tells(JSON.stringify(known))).toEqual([]);
      inside.send({ type: "resume", room: HALL, epoch, rev: 0 });
      expect(tells(JSON.stringify(await inside.nextOf("changes")))).toContain("the plan");
      inside.close();
    });

    test(`the page's socket brings nothing of what is said there, to somebody who is ${who}`, async () => {
      const inside = await openGateway(insider, []);
      const held = [{ room: HALL, epoch: inside.epoch, rev: 0 }];
      const [outside, reader] = [await openGateway(outsiders[who], held), await openGateway(owner, held)];
      for (const socket of [reader, outside]) {
        await socket.settled();
        await socket.quiet(0);
      }
      await insider.post(`/rooms/${HALL}/messages`, { text: "more of the plan" }, { as: "form" });
      expect(await reader.nextOf("changes")).toMatchObject({ changes: [{ text: "more of the plan" }] });
      expect(await outside.quiet(60)).toEqual([]);
      for (const socket of [inside, outside, reader]) socket.close();
    });

    test(`existing clients' socket and calls say only that the slug is taken, to somebody who is ${who}`, async () => {
      const isGuest = who === "guest";
      const shake = { cookie: outsiders[who].cookieHeader(), origin: world.url };
      const answer = await shakeHands(world, `/ws/chat/${HALL}/`, shake);
      const wrong = await shakeHands(world, "/ws/chat/not.a.slug/", shake);
      expect([answer.status, answer.body]).toEqual([403, wrong.body]);
      const details = await outsiders[who].get(`/api/chat/rooms/${HALL}/`);
      const login = { error: "Требуется авторизация" };
      expectJson(details, isGuest ? 401 : 409, isGuest ? login : { error: "Room slug is already taken" });
      const missing = isGuest ? login : { error: "Not found" };
      for (const query of ["", "?limit=1", `?before=${said + 1}`]) {
        const messages = await outsiders[who].get(`/api/chat/rooms/${HALL}/messages/${query}`);
        expectJson(messages, isGuest ? 401 : 404, missing);
      }
    });
  }

  test("their own list of rooms", async () => {
    for (const who of ["stranger", "removed", "left"] as const) {
      const list = await outsiders[who].get("/rooms", { accept: "text/html" });
      expect(list.status).toBe(200);
      expect([...tells(list.text), ...[HALL].filter((slug) => list.text.includes(slug))]).toEqual([]);
    }
    expect(tells((await insider.get("/rooms")).text)).toContain("Committee");
  });

  /** All that those forms might change. */
  function everything() {
    const tables = ["rooms", "members", "invitations", "messages"];
    return Promise.all(tables.map((table) => inDatabase(world, `SELECT * FROM ${table} ORDER BY 1, 2`)));
  }
});

describe("an invitation", () => {
  let link: string;

  beforeEach(async () => {
    link = await invite(owner, HALL);
  });

  const swapped = (text: string) => text.slice(0, -4) + (text.at(-4) === "A" ? "B" : "A") + text.slice(-3);
  const look = async (who: Client, path: string) => {
    const answer = await who.get(path, { accept: "text/html" });
    const { headers, ...page } = described(answer, path.replace("/invitations/", ""));
    // The numbers of invitations are not all of one length.
    return { ...page, headers: headers.filter((line) => !line.startsWith("content-length")) };
  };

  test("tells whoever has the link the room's name and who invites, and no more", async () => {
    for (const who of [outsiders.guest, outsiders.stranger]) {
      const { status, body } = await look(who, link);
      expect(status).toBe(200);
      expect(tells(body)).toEqual(["Committee"]);
      expect(body).toContain("owner");
      expect(body).not.toContain(HALL);
    }
  });

  test("leads its members into the room at once", async () => {
    const answer = await insider.get(link);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, `/rooms/${HALL}`]);
  });

  test("that is forged, expired, used up, revoked or of a room that is gone is over, all alike", async () => {
    const over: Record<string, string> = {
      forged: swapped(link),
      "never made": link.replace(/\d+-/, "999999-"),
    };
    over.expired = await invite(owner, HALL, { days: "1" });
    await inDatabase(world, "UPDATE invitations SET expires_at = 1 WHERE id = ?", idOf(over.expired));
    over["used up"] = await invite(owner, HALL, { uses: "1" });
    await join(await member(world, "last-one"), over["used up"]);
    over.revoked = await invite(owner, HALL);
    await press(owner, HALL, `invitations/${idOf(over.revoked)}/revoke`);
    const other = await makeRoom(owner, "Gone");
    over.gone = await invite(owner, other);
    await press(owner, other, "delete", { confirmation: "Gone" });

    for (const who of [outsiders.guest, outsiders.stranger]) {
      const nothing = await look(who, "/invitations/1-AAAAAAAAAAAAAAAAAAAAAA");
      expect(nothing.status).toBe(404);
      for (const [why, path] of Object.entries(over)) {
        expect({ why, page: await look(who, path) }).toEqual({ why, page: nothing });
      }
    }
    for (const [why, path] of Object.entries(over)) {
      const answer = await outsiders.stranger.post(path, {}, { as: "form" });
      expect({ why, status: answer.status, tells: tells(answer.text) }).toEqual({
        why,
        status: 404,
        tells: [],
      });
    }
    expect((await outsiders.stranger.get(`/rooms/${HALL}`)).status).toBe(404);
    expect((await look(outsiders.stranger, link)).status).toBe(200);
  });

  test("does not let somebody in who was put out", async () => {
    const answer = await outsiders.removed.post(link, {}, { as: "form" });
    expect(answer.status).toBe(404);
    expect((await outsiders.removed.get(`/rooms/${HALL}`)).status).toBe(404);
  });

  test("is only for a page of ours to accept", async () => {
    for (const headers of [
      { "x-csrftoken": "" },
      { origin: "https://evil.example" },
      { origin: "", "sec-fetch-site": "cross-site" },
    ]) {
      const answer = await outsiders.stranger.post(link, {}, { as: "form", headers });
      expect(answer.status).toBe(403);
    }
    expect((await outsiders.stranger.get(`/rooms/${HALL}`)).status).toBe(404);
  });

  test("is not accepted by looking at it", async () => {
    for (let i = 0; i < 3; i++) expect((await look(outsiders.stranger, link)).status).toBe(200);
    expect((await outsiders.stranger.get(`/rooms/${HALL}`)).status).toBe(404);
    const [row] = await inDatabase<{ uses: number }>(
      world,
      "SELECT uses FROM invitations WHERE id = ?",
      idOf(link),
    );
    expect(row?.uses).toBe(0);
  });

  test("whose path is no token is no page of ours, or over", async () => {
    for (const path of [
      "/invitations/",
      "/invitations",
      "/invitations/%00",
      "/invitations/x",
      "/invitations/1-",
    ])
      expect((await outsiders.stranger.get(path)).status).toBe(404);
  });
});

function idOf(link: string): number {
  return Number(/(\d+)-/.exec(link)?.[1]);
}
