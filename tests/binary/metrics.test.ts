/** What the binary tells whoever watches it: where, in which form, and that it moves with what people do. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Agent, get, type RequestOptions } from "node:http";
import { networkInterfaces } from "node:os";
import { RESUME_MAX_CHANGES } from "../../src/shared/limits.ts";
import { binary } from "../../src/testing/binary.ts";
import { guest, member, stranger, type Client } from "../../src/testing/client.ts";
import { findPostgres, startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { parseMetrics, type Scrape } from "../../src/testing/prometheus.ts";
import { findRedis, startRedis, type RedisServer } from "../../src/testing/redis.ts";
import { openSlow } from "../../src/testing/slow.ts";
import { newKey, openChat, openGateway, openPresence } from "../../src/testing/socket.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

const PATIENCE_MS = 20_000;

interface Watched extends Process {
  metrics: string;
}

let program: string;
let dataDir: string;
let server: Watched;
let ann: Client;

beforeAll(async () => {
  program = await binary();
  dataDir = makeDataDir();
  server = await watched(dataDir);
  ann = await member(server, "ann");
});
afterAll(async () => {
  await server.stop();
  removeDataDir(dataDir);
});

/** On ports that are free; the log says which. */
async function watched(folder: string, env: Environment = {}): Promise<Watched> {
  const process = await startProcess(folder, { METRICS_PORT: "0", ...env }, program);
  await until(async () => process.output().includes('"event":"metrics"'));
  return { ...process, metrics: /"url":"([^"]+)"/.exec(process.output())?.[1] ?? "" };
}

async function scrape({ metrics }: Watched = server): Promise<Scrape> {
  return parseMetrics(await (await fetch(metrics)).text());
}

/** How far the metric has moved when this has been done. */
async function moved(
  name: string,
  labels: Record<string, string>,
  act: () => Promise<unknown>,
): Promise<number> {
  const before = (await scrape()).sum(name, labels);
  await act();
  return (await scrape()).sum(name, labels) - before;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("it did not come to pass in time");
    await Bun.sleep(20);
  }
}

/** It is told so by then: what has ended is noticed a moment later. */
const tells = (name: string, labels: Record<string, string>, value: number, from = server) =>
  until(async () => (await scrape(from)).sum(name, labels) === value);

const acknowledged = (door: string, write: string, act: () => Promise<unknown>) =>
  moved("echochat_messages_acknowledged_total", { door, write }, act);
const refused = (door: string, code: string, act: () => Promise<unknown>) =>
  moved("echochat_refusals_total", { door, code }, act);

function ask(request: RequestOptions): Promise<{ status: number | undefined; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>();
  get(request, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve({ status: response.statusCode, text })).on("error", reject);
  }).on("error", reject);
  return promise;
}

describe("the port", () => {
  test("is not the one that people come to, where nobody finds a word of it", async () => {
    expect((await fetch(server.metrics)).status).toBe(200);
    for (const path of ["/metrics", "/metrics/", "/api/metrics/"]) {
      const { status, text } = await stranger(server).get(path);
      expect([path, status]).toEqual([path, 404]);
      expect(text).not.toContain("echochat_");
    }
  });

  test("answers with nothing else, and takes nothing", async () => {
    const at = (path: string) => fetch(new URL(path, server.metrics));
    expect([(await at("/")).status, (await at("/rooms/public")).status]).toEqual([404, 404]);
    expect((await fetch(server.metrics, { method: "POST" })).status).toBe(405);
    const { headers } = await fetch(server.metrics);
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("answers whatever name it is asked under, and says nothing of it in the log", async () => {
    const { hostname, port } = new URL(server.metrics);
    const before = server.output();
    for (const host of ["a b", "[::z", "%%", "", "a:99999"]) {
      const answer = await ask({ hostname, port, path: "/metrics", headers: { host } });
      expect([host, answer.status === 500]).toEqual([host, false]);
    }
    expect(server.output()).toBe(before);
  });

  test.if(process.platform === "linux")("answers when no more files can be opened", async () => {
    const folder = makeDataDir();
    const full = await watched(folder);
    const { hostname, port } = new URL(full.metrics);
    // Prometheus keeps its connection open as well.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const read = () => ask({ hostname, port, path: "/metrics", agent });
    expect((await read()).text).toContain("\nprocess_open_fds ");
    const { exitCode } = Bun.spawnSync(["prlimit", `--pid=${full.pid}`, "--nofile=3:3"]);
    expect(exitCode).toBe(0);
    const { status, text } = await read();
    expect(status).toBe(200);
    expect(text).not.toContain("\nprocess_open_fds ");
    expect(text).toContain("\nechochat_sockets_open{");
    agent.destroy();
    await full.stop();
    removeDataDir(folder);
  });

  test("is not open unless somebody asks for it", async () => {
    const folder = makeDataDir();
    const plain = await startProcess(folder, {}, program);
    expect(plain.output()).not.toContain("metrics");
    await plain.stop();
    removeDataDir(folder);
  });

  test("is for this machine alone, whoever may come to the other one", async () => {
    const { address } = otherAddress();
    const reach = (url: string) => {
      const there = new URL(url);
      there.hostname = address;
      return fetch(there).then(
        ({ status }) => status,
        () => null,
      );
    };
    const folder = makeDataDir();
    const open = await watched(folder, { HOST: "0.0.0.0", METRICS_HOST: "0.0.0.0" });
    expect([await reach(open.url), await reach(open.metrics)]).toEqual([200, 200]);
    await open.stop();
    const usual = await watched(folder, { HOST: "0.0.0.0" });
    expect([await reach(usual.url), await reach(usual.metrics)]).toEqual([200, null]);
    expect((await fetch(usual.metrics)).status).toBe(200);
    await usual.stop();
    removeDataDir(folder);
  });

  test.each([
    ["METRICS_PORT", () => ({ METRICS_PORT: new URL(server.metrics).port })],
    ["METRICS_PORT", () => ({ METRICS_PORT: "here" })],
    ["METRICS_HOST", () => ({ METRICS_PORT: "0", METRICS_HOST: "192.0.2.1" })],
  ])("that cannot be had stops the start with one line that names %s", async (name, envOf) => {
    const folder = makeDataDir();
    const env = { PORT: "0", ...envOf() };
    const { code, stderr } = await runCommand(folder, [], { env, program });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^EchoChat cannot start: .*${name}.*\\n$`));
    removeDataDir(folder);
  });
});

describe("a write is counted when it is acknowledged, by the door it came through:", () => {
  test("a page's socket", async () => {
    const socket = await openGateway(ann);
    let id = 0;
    const answerTo = (key: string) => socket.next((frame) => frame.type === "ack" && frame.key === key);
    const change = async (frame: object) => {
      const key = newKey();
      socket.send({ ...frame, room: "public", key });
      return answerTo(key);
    };
    const post = async () => {
      const answer = await socket.post("by socket");
      id = answer.type === "ack" ? answer.id : 0;
    };
    expect(await acknowledged("socket", "post", post)).toBe(1);
    expect(await acknowledged("socket", "edit", () => change({ type: "edit", id, text: "other" }))).toBe(1);
    expect(await acknowledged("socket", "remove", () => change({ type: "remove", id }))).toBe(1);
    socket.close();
  });

  test("a socket of existing clients", async () => {
    const socket = await openChat(ann, "public");
    const post = async () => {
      socket.send({ message: "by original" });
      await socket.next();
    };
    expect(await acknowledged("original", "post", post)).toBe(1);
    socket.close();
  });

  test("the API", async () => {
    const messages = "/api/chat/rooms/public/messages/";
    let id = 0;
    const post = async () => {
      ({ id } = (await ann.post(messages, { content: "by API" })).json() as { id: number });
    };
    expect(await acknowledged("rest", "post", post)).toBe(1);
    expect(await acknowledged("rest", "edit", () => ann.patch(`${messages}${id}/`, { content: "b" }))).toBe(
      1,
    );
    expect(await acknowledged("rest", "remove", () => ann.delete(`${messages}${id}/`))).toBe(1);
  });

  test("a form", async () => {
    const post = () => ann.submit("/rooms/public", { text: "by form" });
    expect(await acknowledged("form", "post", post)).toBe(1);
  });
});

describe("a refusal is counted by its door and code:", () => {
  test("on a page's socket", async () => {
    const socket = await openGateway(ann);
    expect(await refused("socket", "blank", () => socket.post(" "))).toBe(1);
    const nonsense = async () => {
      socket.send("{}");
      await socket.nextOf("refusal");
    };
    expect(await refused("socket", "bad_request", nonsense)).toBe(1);
    const elsewhere = () => socket.post("hello", newKey(), "nowhere");
    expect(await refused("socket", "not_found", elsewhere)).toBe(1);
    socket.close();
  });

  test("on a socket of existing clients", async () => {
    const socket = await openChat(ann, "public");
    const tooLong = async () => {
      socket.send({ message: "x".repeat(2_000) });
      await socket.next();
    };
    expect(await refused("original", "too_long", tooLong)).toBe(1);
    socket.close();
  });

  test("at the API and in a form, each once", async () => {
    const messages = "/api/chat/rooms/public/messages/";
    expect(await refused("rest", "blank", () => ann.post(messages, { content: " " }))).toBe(1);
    expect(await refused("form", "blank", () => ann.submit("/rooms/public", { text: " " }))).toBe(1);
    expect(await refused("form", "not_found", () => ann.get("/rooms/nowhere"))).toBe(1);
    const used = newKey();
    const first = () => ann.post(messages, { content: "one", key: used });
    expect(await refused("rest", "key_reused", first)).toBe(0);
    expect(await refused("rest", "key_reused", () => ann.post(messages, { content: "two", key: used }))).toBe(
      1,
    );
  });

  test("and attempts beyond a limit by the limit, and failed logins by the audit log", async () => {
    const folder = makeDataDir();
    const strict = await watched(folder, { AUTH_RATE_LIMIT: "2" });
    const bob = await guest(strict);
    for (let i = 0; i < 4; i++) await bob.login("nobody", "wrong password");
    const seen = await scrape(strict);
    expect(seen.sum("echochat_audit_entries_total", { action: "session.refused" })).toBe(2);
    expect(seen.sum("echochat_rate_limited_total", { limit: "login" })).toBe(2);
    await strict.stop();
    removeDataDir(folder);
  });
});

test("writes that come at once are counted in their transactions, each once", async () => {
  const socket = await openGateway(ann);
  const [size, duration] = ["echochat_commit_batch_size", "echochat_commit_duration_seconds"];
  const before = await scrape();
  await Promise.all(Array.from({ length: 60 }, (_, i) => socket.post(`at once ${i}`)));
  const after = await scrape();
  const by = (name: string) => after.sum(name) - before.sum(name);
  expect(by(`${size}_sum`)).toBe(60);
  expect(by(`${size}_count`)).toBeLessThan(60);
  expect(by(`${duration}_count`)).toBe(by(`${size}_count`));
  expect(by(`${duration}_sum`)).toBeGreaterThan(0);
  expect(by("echochat_commit_failures_total")).toBe(0);
  socket.close();
});

describe("sockets", () => {
  test("are counted by what they speak while they are open", async () => {
    const open = () => Promise.all([openGateway(ann), openChat(ann, "public"), openPresence(ann)]);
    await tells("echochat_sockets_open", {}, 0);
    const sockets = await open();
    for (const kind of ["page", "original", "presence"]) await tells("echochat_sockets_open", { kind }, 1);
    expect((await scrape()).sum("echochat_people_online", { kind: "member" })).toBe(1);
    for (const socket of sockets) socket.close();
    await tells("echochat_sockets_open", {}, 0);
  });

  test("that catch up are counted, and those that cannot by the reason", async () => {
    const socket = await openGateway(ann, []);
    const { epoch } = socket;
    const resume = (held: object, answer: "caught-up" | "reset") => async () => {
      socket.send({ type: "resume", room: "public", rev: 0, epoch, ...held });
      await socket.nextOf(answer);
    };
    expect(await moved("echochat_resumes_total", {}, resume({}, "caught-up"))).toBe(1);
    const reset = (reason: string, held: object) =>
      moved("echochat_resets_total", { reason }, resume(held, "reset"));
    expect(await reset("epoch", { epoch: "another" })).toBe(1);
    expect(await reset("ahead", { rev: 1_000_000 })).toBe(1);
    for (let written = 0; written <= RESUME_MAX_CHANGES; written += 500)
      await Promise.all(Array.from({ length: 500 }, (_, i) => socket.post(`${written + i}`)));
    expect(await reset("gap", {})).toBe(1);
    socket.close();
  });

  test("whose readers stop reading are counted when they are closed for it, and others are not", async () => {
    const writer = await openGateway(ann);
    const [slow, quick] = [await openSlow(ann), await openSlow(ann)];
    for (const reader of [slow, quick]) {
      reader.says({ type: "hello", rooms: [] });
      await reader.until(({ type }) => type === "welcome");
      const { rev } = (await writer.post("here we go")) as { rev: number };
      reader.says({ type: "resume", room: "public", epoch: writer.epoch, rev });
      await reader.until(({ type }) => type === "caught-up");
    }
    const name = "echochat_slow_readers_closed_total";
    slow.stopsReading();
    const storm = async () => {
      while ((await scrape()).sum(name) === 0) {
        await Promise.all(Array.from({ length: 200 }, (_, i) => writer.post(`${i} ${"x".repeat(900)}`)));
        await writer.quiet(0);
      }
    };
    expect(await moved(name, {}, storm)).toBe(1);
    const open = (await scrape()).sum("echochat_sockets_open", { kind: "page" });
    quick.leaves();
    await tells("echochat_sockets_open", { kind: "page" }, open - 1);
    expect((await scrape()).sum(name)).toBe(1);
    slow.leaves();
    writer.close();
  });
});

test("requests are counted by what they ask for and what they get", async () => {
  const by = (kind: string, status: string, act: () => Promise<unknown>) =>
    moved("echochat_http_requests_total", { kind, status }, act);
  expect(await by("page", "200", () => ann.get("/rooms/public"))).toBe(1);
  expect(await by("page", "404", () => ann.get("/nowhere"))).toBe(1);
  // A finished page that guests share is one as well.
  const reader = stranger(server);
  expect(await by("page", "200", async () => [await reader.get("/"), await reader.get("/")])).toBe(2);
  expect(await by("api", "200", () => ann.get("/api/auth/session/"))).toBe(1);
  expect(await by("file", "200", () => ann.get("/media/default.jpg"))).toBe(1);
  expect(await by("socket", "101", async () => (await openPresence(ann)).close())).toBe(1);
  expect(await by("socket", "426", () => ann.get("/ws/"))).toBe(1);
});

test("the process tells what runs, and what it takes", async () => {
  const seen = await scrape();
  expect(seen.sum("echochat_build_info", { database: "sqlite" })).toBe(1);
  expect(seen.sum("echochat_database_up")).toBe(1);
  expect(seen.sum("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
  expect(seen.sum("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(Math.abs(seen.sum("process_start_time_seconds") - Date.now() / 1000)).toBeLessThan(600);
  await until(async () => (await scrape()).sum("echochat_event_loop_lag_seconds_count") > 5);
});

describe.skipIf(!findPostgres() || !findRedis())("of two nodes", () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let database: string;
  let one: Watched;
  let two: Watched;

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    database = await postgres.createDatabase();
    const shared = { DATABASE_URL: database, REDIS_URL: redis.url, SECRET_KEY: "s".repeat(40) };
    one = await watched(dataDir, shared);
    two = await watched(dataDir, shared);
  });
  afterAll(async () => {
    await Promise.all([one, two].map((node) => node.stop()));
    await redis.stop();
    await postgres.stop();
  });

  const told = async (node: Watched, source: string) =>
    (await scrape(node)).sum("echochat_changes_told_total", { source });

  test("each tells what it has by a hint from the other, and without Redis what it reads", async () => {
    const [hers, his] = [
      await openGateway(await member(one, "ann")),
      await openGateway(await member(two, "bob")),
    ];
    // The database has just been asked, and is not again before the hint has come.
    let before = 0;
    await until(async () => {
      const after = before;
      before = (await scrape(two)).sum("echochat_head_poll_age_seconds");
      return before < after;
    });
    await hers.post("by hint");
    await his.nextOf("changes");
    expect([await told(one, "own"), await told(one, "hint")]).toEqual([1, 0]);
    expect([await told(two, "own"), await told(two, "hint"), await told(two, "database")]).toEqual([0, 1, 0]);
    await tells("echochat_redis_up", {}, 1, two);
    redis.freeze();
    await tells("echochat_redis_up", {}, 0, two);
    await hers.post("by the database");
    await his.nextOf("changes");
    expect([await told(two, "hint"), await told(two, "database")]).toEqual([1, 1]);
    redis.thaw();
    await tells("echochat_redis_up", {}, 1, two);
    hers.close();
    his.close();
  });

  test("one that cannot read what the database has says for how long, until it can", async () => {
    const { families } = await scrape(two);
    expect([...(families.get("echochat_head_lag_seconds")?.samples.values() ?? [])]).toEqual([0]);
    await postgres.run("ALTER TABLE messages RENAME TO away", database);
    await postgres.run("UPDATE rooms SET head = head + 1 WHERE slug = 'public'", database);
    await tells("echochat_head_lag_changes", {}, 1, two);
    await until(async () => (await scrape(two)).sum("echochat_head_lag_seconds") > 0.2);
    await postgres.run("ALTER TABLE away RENAME TO messages", database);
    await tells("echochat_head_lag_seconds", {}, 0, two);
    expect((await scrape(two)).sum("echochat_head_poll_age_seconds")).toBeLessThan(60);
  });

  test("both say when the database is away", async () => {
    await tells("echochat_database_up", {}, 1, one);
    expect((await scrape(one)).sum("echochat_build_info", { database: "postgres" })).toBe(1);
    await postgres.stop();
    for (const node of [one, two]) await tells("echochat_database_up", {}, 0, node);
  });
});

/** Of this machine, besides 127.0.0.1. */
function otherAddress(): { address: string } {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal) ?? { address: "127.0.0.2" };
}
