import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { newKey, openChat, openGateway, type Gateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

// Processes take their time to start where many tests run at once.
setDefaultTimeout(60_000);

const dataDirs: string[] = [];
const processes: Process[] = [];

async function start(dataDir: string): Promise<Process> {
  const started = await startProcess(dataDir);
  processes.push(started);
  return started;
}

function newDataDir(): string {
  const dataDir = makeDataDir();
  dataDirs.push(dataDir);
  return dataDir;
}

afterEach(async () => {
  for (const started of processes.splice(0)) await started.stop();
  for (const dataDir of dataDirs.splice(0)) removeDataDir(dataDir);
});

/** Talks until the socket is closed; every text is its own key. Answers with all that was heard. */
async function talk(socket: Gateway): Promise<ServerFrame[]> {
  while (socket.isOpen()) {
    for (let i = 0; i < 5; i++) {
      const key = newKey();
      socket.send({ type: "send", room: "public", key, text: key });
    }
    await Bun.sleep(2);
  }
  await socket.closed;
  return socket.quiet(0);
}

/** Asks, and once that is answered asks again and again until there is nobody to answer. */
async function statuses(ask: () => Promise<{ status: number }>): Promise<{ all: Promise<number[]> }> {
  const all = [(await ask()).status];
  const goOn = async () => {
    for (;;) {
      await Bun.sleep(5);
      const answer = await ask().catch(() => null);
      if (!answer) return all;
      all.push(answer.status);
    }
  };
  return { all: goOn() };
}

async function history(client: Client): Promise<Map<string, number>> {
  const all = new Map<string, number>();
  for (let before = ""; ;) {
    const answer = await client.get(`/api/chat/rooms/public/messages/?limit=200${before}`);
    const { messages, pagination } = answer.json() as {
      messages: { content: string; seq: number }[];
      pagination: { nextBefore: number | null };
    };
    for (const { content, seq } of messages) all.set(content, seq);
    if (pagination.nextBefore === null) return all;
    before = `&before=${pagination.nextBefore}`;
  }
}

describe("a server that is told to stop in the middle of a conversation", () => {
  test("says so to everybody, answers for what it has taken, and has all of it at the next start", async () => {
    const dataDir = newDataDir();
    const server = await start(dataDir);
    const people = await Promise.all(["ann", "bob", "cleo", "dora"].map((name) => member(server, name)));
    const sockets = await Promise.all([...people, ...people].map((person) => openGateway(person)));
    const visitor = await guest(server);
    const [watcher, old] = [await openGateway(visitor), await openChat(visitor, "public")];
    const talks = Promise.all(sockets.map(talk));
    await sockets[0]?.nextOf("ack", ({ seq }) => seq > 200);

    const shake = { cookie: visitor.cookieHeader(), origin: server.url };
    const [ready, handshakes] = await Promise.all([
      statuses(() => visitor.get("/api/health/ready/")),
      statuses(() => shakeHands(server, "/ws/", shake)),
    ]);
    const stoppedAt = Date.now();
    expect(await server.kill("SIGTERM")).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(10_000);

    for (const told of [await ready.all, await handshakes.all]) {
      const refused = told.indexOf(503);
      expect(refused).toBeGreaterThan(0);
      expect(new Set(told.slice(refused))).toEqual(new Set([503]));
    }
    expect([...new Set(await ready.all)]).toEqual([200, 503]);
    expect([...new Set(await handshakes.all)]).toEqual([101, 503]);

    const heard = await talks;
    await watcher.closed;
    const byes = [...heard, await watcher.quiet(0)].map((frames) =>
      frames.filter(({ type }) => type === "bye"),
    );
    expect(byes.map(({ length }) => length)).toEqual(byes.map(() => 1));
    const moments = byes.flat().map((frame) => (frame.type === "bye" ? frame.after : -1));
    for (const after of moments) expect(after).toBeWithin(0, 5_001);
    expect(new Set(moments).size).toBeGreaterThan(moments.length / 2);
    for (const socket of [...sockets, watcher, old]) expect((await socket.closed).code).toBe(1012);

    const again = await start(dataDir);
    const stored = await history(visitor.moveTo(again));
    const acks = heard.flat().filter((frame) => frame.type === "ack");
    expect(acks.length).toBeGreaterThan(200);
    expect(acks.filter(({ key, seq }) => stored.get(key) !== seq)).toEqual([]);
    expect([...stored.values()].toSorted((a, b) => a - b)).toEqual([...stored.values()].map((_, i) => i + 1));
    expect(server.output()).not.toContain('"level":"error"');
  });

  test("still answers for what was sent before the farewell was heard", async () => {
    const server = await start(newDataDir());
    const [ann, bob] = [await member(server, "ann"), await member(server, "bob")];
    const [page, reader] = [await openGateway(ann), await openGateway(bob)];
    const gone = server.kill("SIGTERM");
    await page.nextOf("bye");
    expect(await page.post("my last words")).toMatchObject({ type: "ack" });
    expect((await reader.nextOf("changes")).changes).toMatchObject([{ text: "my last words" }]);
    expect(await gone).toBe(0);
  });

  test("tells whoever knocks how soon to come back", async () => {
    const server = await start(newDataDir());
    const visitor = await guest(server);
    const page = await openGateway(visitor);
    const shake = { cookie: visitor.cookieHeader(), origin: server.url };
    const knock = () =>
      Promise.all(
        ["/ws/", "/ws/presence/", "/ws/chat/public/"].map((path) => shakeHands(server, path, shake)),
      );
    expect((await knock()).map(({ status }) => status)).toEqual([101, 101, 101]);
    const gone = server.kill("SIGTERM");
    await page.nextOf("bye");
    // All at once: soon nobody answers any more.
    const [refused, ready, live] = await Promise.all([
      knock(),
      visitor.get("/api/health/ready/"),
      visitor.get("/api/health/live/"),
    ]);
    for (const { status, headers } of refused)
      expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
    expect([ready.status, ready.json()]).toMatchObject([503, { components: { server: "stopping" } }]);
    expect(live.status).toBe(200);
    expect(await gone).toBe(0);
  });
});
