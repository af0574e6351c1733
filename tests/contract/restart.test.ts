import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { newKey, openChat, openGateway, type Gateway } from "../../src/testing/socket.ts";
import {
  failToStart,
  makeDataDir,
  removeDataDir,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";

// Processes take their time to start where many tests run at once.
setDefaultTimeout(60_000);

const dataDirs: string[] = [];
const processes: Process[] = [];

function newDataDir(): string {
  const dataDir = makeDataDir();
  dataDirs.push(dataDir);
  return dataDir;
}

async function start(dataDir: string, env?: Environment): Promise<Process> {
  const started = await startProcess(dataDir, env);
  processes.push(started);
  return started;
}

afterEach(async () => {
  for (const started of processes.splice(0)) await started.stop();
  for (const dataDir of dataDirs.splice(0)) removeDataDir(dataDir);
});

interface Stored {
  id: number;
  seq: number;
  content: string;
}

/** The whole history by paging, oldest first. */
async function history(client: Client): Promise<Stored[]> {
  const all: Stored[] = [];
  for (let before = ""; ;) {
    const answer = await client.get(`/api/chat/rooms/public/messages/?limit=200${before}`);
    const page = answer.json() as { messages: Stored[]; pagination: { nextBefore: number | null } };
    all.unshift(...page.messages);
    if (page.pagination.nextBefore === null) return all;
    before = `&before=${page.pagination.nextBefore}`;
  }
}

const isSignedIn = async (client: Client) =>
  ((await client.get("/api/auth/session/")).json() as { authenticated: boolean }).authenticated;

/** Talks without waiting for answers until the socket dies; every text is its own key. */
async function talkUntilCut(socket: Gateway, sent: string[]): Promise<ServerFrame[]> {
  while (socket.isOpen()) {
    for (let i = 0; i < 3; i++) {
      const key = newKey();
      sent.push(key);
      socket.send({ type: "send", room: "public", key, text: key });
    }
    await Bun.sleep(3);
  }
  await socket.closed;
  return socket.quiet(0);
}

describe("a server that is killed in the middle of a conversation", () => {
  test("has every message that it acknowledged or showed to anybody, once, with numbers that leave nothing out", async () => {
    const dataDir = newDataDir();
    let server = await start(dataDir);
    let people = await Promise.all(["ann", "bob", "cleo"].map((name) => member(server, name)));
    const sent = people.map((): string[] => []);
    const promised = new Map<string, number>();
    let head = 0;

    for (const enough of [40, 80, 160]) {
      const sockets = await Promise.all(people.map((person) => openGateway(person)));
      const talks = sockets.map((socket, i) => talkUntilCut(socket, sent[i] ?? []));
      const known = promised.size;
      const late = await (sockets[0] as Gateway).nextOf("ack", ({ seq }) => seq > head + enough);
      promised.set(late.key, late.seq);
      await Bun.sleep(Math.random() * 20);
      expect(await server.kill("SIGKILL")).not.toBe(0);
      for (const frame of (await Promise.all(talks)).flat()) {
        if (frame.type === "ack") promised.set(frame.key, frame.seq);
        if (frame.type === "changes") for (const { text, seq } of frame.changes) promised.set(text, seq);
      }
      expect(promised.size).toBeGreaterThan(known + 20);

      server = await start(dataDir);
      people = people.map((person) => person.moveTo(server));
      const stored = await history(people[0] as Client);
      head = stored.length;
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1));
      const places = new Map(stored.map(({ content, seq }) => [content, seq]));
      expect(places.size).toBe(stored.length);
      const lost = [...promised].filter(([key, seq]) => places.get(key) !== seq);
      expect(lost).toEqual([]);
    }

    // Nobody knows what became of the rest; sending all of it again settles it.
    const settle = async (person: Client, keys: readonly string[]) => {
      const socket = await openGateway(person);
      for (let at = 0; at < keys.length; at += 50) {
        const some = keys.slice(at, at + 50);
        for (const answer of await Promise.all(some.map((key) => socket.post(key, key)))) {
          expect(answer.type).toBe("ack");
          if (answer.type === "ack" && promised.has(answer.key)) {
            expect([answer.repeat, answer.seq]).toEqual([true, promised.get(answer.key) ?? 0]);
          }
        }
      }
      socket.close();
    };
    await Promise.all(people.map((person, i) => settle(person, sent[i] ?? [])));
    const contents = (await history(people[0] as Client)).map(({ content }) => content);
    expect(contents.toSorted()).toEqual(sent.flat().toSorted());
  });

  test("lets a page that was open go on from where it was", async () => {
    const dataDir = newDataDir();
    const server = await start(dataDir);
    const [ann, bob] = [await member(server, "ann"), await member(server, "bob")];
    const socket = await openGateway(ann);
    const ack = await socket.post("before");
    const { epoch } = socket;
    await server.kill("SIGKILL");
    await socket.closed;

    const again = await start(dataDir);
    await (await openGateway(bob.moveTo(again))).post("after");
    const rev = ack.type === "ack" ? ack.rev : 0;
    const back = await openGateway(ann.moveTo(again), [{ room: "public", epoch, rev }]);
    expect(back.user).toBe("ann");
    expect((await back.nextOf("changes")).changes.map(({ text }) => text)).toEqual(["after"]);
  });
});

describe("a server that is asked to stop", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "by %s says goodbye to its sockets and exits with 0",
    async (signal) => {
      const server = await start(newDataDir());
      const ann = await member(server, "ann");
      const [gateway, chat] = [await openGateway(ann), await openChat(ann, "public")];
      const startedAt = Date.now();
      expect(await server.kill(signal)).toBe(0);
      expect(Date.now() - startedAt).toBeLessThan(4_000);
      expect((await gateway.closed).code).toBe(1012);
      expect((await chat.closed).code).toBe(1012);
      expect(server.output()).not.toContain('"level":"error"');
    },
  );

  test("keeps sessions, with a key that only its owner can read", async () => {
    const dataDir = newDataDir();
    const unset = { SECRET_KEY: "" };
    const server = await start(dataDir, unset);
    const ann = await member(server, "ann");
    const file = join(dataDir, "secret.key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await server.kill("SIGTERM");
    const again = await start(dataDir, unset);
    expect(await isSignedIn(ann.moveTo(again))).toBe(true);
    expect((await ann.moveTo(again).logout()).status).toBe(200);
    await again.kill("SIGTERM");
    expect(await isSignedIn(ann.moveTo(await start(dataDir, unset)))).toBe(false);
  });

  test("makes nothing that others on the machine can read", async () => {
    const dataDir = newDataDir();
    const server = await start(dataDir);
    await member(server, "ann");
    await server.kill("SIGTERM");
    const made = readdirSync(dataDir, { recursive: true, encoding: "utf8" });
    expect(made).not.toEqual([]);
    expect(made.filter((name) => statSync(join(dataDir, name)).mode & 0o077)).toEqual([]);
  });

  test("ends all sessions when its secret is changed, and keeps a given one out of the data", async () => {
    const dataDir = newDataDir();
    const server = await start(dataDir, { SECRET_KEY: "one secret that is long enough to be used" });
    const ann = await member(server, "ann");
    expect(readdirSync(dataDir)).not.toContain("secret.key");
    await server.kill("SIGTERM");
    const same = await start(dataDir, { SECRET_KEY: "one secret that is long enough to be used" });
    expect(await isSignedIn(ann.moveTo(same))).toBe(true);
    await same.kill("SIGTERM");
    expect(
      await isSignedIn(
        ann.moveTo(await start(dataDir, { SECRET_KEY: "another secret that is long enough as well" })),
      ),
    ).toBe(false);
  });
});

describe("an operator's mistake", () => {
  const DATABASE_URL = "postgres://user:password@localhost/echochat";
  const PRODUCTION = { NODE_ENV: "production", DATABASE_URL };
  const mistakes: [string, Environment][] = [
    ["PORT", { PORT: "abc" }],
    ["PORT", { PORT: "70000" }],
    ["PORT", { PORT: "-1" }],
    ["CHAT_MESSAGE_MAX_LENGTH", { CHAT_MESSAGE_MAX_LENGTH: "0" }],
    ["CHAT_MESSAGE_MAX_LENGTH", { CHAT_MESSAGE_MAX_LENGTH: "1e3" }],
    ["CHAT_MESSAGE_RATE_LIMIT", { CHAT_MESSAGE_RATE_LIMIT: "many" }],
    ["CHAT_MESSAGE_RATE_WINDOW", { CHAT_MESSAGE_RATE_WINDOW: "0.5" }],
    ["CHAT_MESSAGES_PAGE_SIZE", { CHAT_MESSAGES_PAGE_SIZE: "0" }],
    ["AUTH_RATE_LIMIT", { AUTH_RATE_LIMIT: "-5" }],
    ["TRUSTED_PROXIES", { TRUSTED_PROXIES: "10.0.0.0/33" }],
    ["TRUSTED_PROXIES", { TRUSTED_PROXIES: "127.0.0.1,proxy.example" }],
    ["PUBLIC_BASE_URL", { PUBLIC_BASE_URL: "chat.example.org" }],
    ["PUBLIC_BASE_URL", { PUBLIC_BASE_URL: "ftp://chat.example.org" }],
    ["RELAX_PASSWORDS", { RELAX_PASSWORDS: "maybe" }],
    ["CHAT_ROOM_SLUG_REGEX", { CHAT_ROOM_SLUG_REGEX: "([a-z" }],
    ["SECRET_KEY", { SECRET_KEY: "too short" }],
    ["SECRET_KEY", { ...PRODUCTION, SECRET_KEY: "" }],
  ];

  test.each(mistakes)(
    "in %s is one line that names it, no secret, and exit code 1: %j",
    async (name, env) => {
      const { code, output } = await failToStart(newDataDir(), env);
      expect({ code, lines: output.trim().split("\n") }).toEqual({
        code: 1,
        lines: [expect.stringContaining(name)],
      });
      expect(output).not.toMatch(/too short|user:password/);
    },
  );

  test("leaves no data behind", async () => {
    const dataDir = newDataDir();
    expect((await failToStart(dataDir, { PORT: "abc" })).code).toBe(1);
    expect(existsSync(join(dataDir, "echochat.sqlite"))).toBe(false);
  });

  test("of a port that is in use names PORT as well", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as AddressInfo;
    const { code, output } = await failToStart(newDataDir(), { PORT: String(port) });
    holder.close();
    expect([code, output.trim().split("\n").length]).toEqual([1, 1]);
    expect(output).toContain("PORT");
  });

  test("is not a proxy's list with names of networks, a base URL with a path, or a limit at its bound", async () => {
    const server = await start(newDataDir(), {
      TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8, fd00::/8,::1",
      PUBLIC_BASE_URL: "https://chat.example.org/",
      CHAT_MESSAGE_MAX_LENGTH: "1",
      RELAX_PASSWORDS: "Yes",
    });
    expect((await guest(server)).place.url).toBe(server.url);
  });
});
