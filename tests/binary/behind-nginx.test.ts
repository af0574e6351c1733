/** Two nodes behind the nginx of deploy/nginx.conf: a journey through TLS. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { brotliDecompressSync } from "node:zlib";
import { binary } from "../../src/testing/binary.ts";
import { guest, member, stranger, type Client } from "../../src/testing/client.ts";
import { startNginx, type Nginx } from "../../src/testing/nginx.ts";
import { png } from "../../src/testing/pictures.ts";
import { freePort, startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { startRedis, type RedisServer } from "../../src/testing/redis.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import { newKey, openChat, openGateway, openPresence, type Gateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

const ATTEMPTS = 20;
const MiB = 1024 * 1024;
const PROFILE = "/api/auth/profile/";

let postgres: PostgresServer;
let redis: RedisServer;
let dataDir: string;
let ports: number[];
let nodes: Process[];
let nginx: Nginx;
let start: (port: number) => Promise<Process>;
let ann: Client;
let bob: Client;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  dataDir = makeDataDir();
  const env = {
    DATABASE_URL: await postgres.createDatabase(),
    REDIS_URL: redis.url,
    SECRET_KEY: "the same secret on every node, long",
    // As in docker-compose.prod.yml: nobody but nginx.
    TRUSTED_PROXIES: "127.0.0.1",
    AUTH_RATE_LIMIT: String(ATTEMPTS),
  };
  const program = await binary();
  ports = [await freePort(), await freePort()];
  start = (port) => startProcess(dataDir, { ...env, PORT: String(port) }, program);
  nodes = await Promise.all(ports.map(start));
  nginx = await startNginx(ports);
  ann = await member(nginx, "ann");
  bob = await member(nginx, "bob");
});
afterAll(async () => {
  await nginx.stop();
  for (const node of nodes) await node.stop();
  await redis.stop();
  await postgres.stop();
  removeDataDir(dataDir);
});

/** One request over HTTP/2, from this address of the machine; the body as it came. */
async function ask(path: string, headers: OutgoingHttpHeaders = {}, body?: string, from = "127.0.0.1") {
  const options = { ca: nginx.ca, family: 4, localAddress: from };
  const session = connectHttp2(nginx.url, options);
  try {
    return await new Promise<{ status: number; headers: Headers; body: Buffer; protocol: unknown }>(
      (resolve, reject) => {
        session.on("error", reject);
        const request = session.request({ ":path": path, ...headers });
        const parts: Buffer[] = [];
        let answered = new Headers();
        let status = 0;
        request.on("response", ({ ":status": code, ...fields }) => {
          status = code ?? 0;
          answered = new Headers(Object.entries(fields).map(([name, value]) => [name, String(value)]));
        });
        request.on("data", (part: Buffer) => parts.push(part));
        request.on("error", reject);
        request.on("end", () =>
          resolve({ status, headers: answered, body: Buffer.concat(parts), protocol: session.alpnProtocol }),
        );
        request.end(body);
      },
    );
  } finally {
    session.close();
  }
}

const upload = (client: Client, username: string, bytes: BlobPart) =>
  client.post(PROFILE, { username, image: new File([bytes], "a.png") }, { as: "multipart" });

describe("a page", () => {
  test("that is asked for without TLS is asked for again with it", async () => {
    const answer = await stranger(nginx.plain).get("/rooms/tea?from=home");
    expect([answer.status, answer.headers.get("location")]).toEqual([
      301,
      "https://localhost/rooms/tea?from=home",
    ]);
  });

  test("comes over HTTP/2, each header once and as the node has sent it", async () => {
    const host = new URL(nginx.url).host;
    for (const path of ["/", "/login", "/api/auth/session/", "/nothing", "/robots.txt"]) {
      const seen = await ask(path);
      const direct = await fetch(nodes[0]?.url + path, {
        headers: { host, "x-forwarded-proto": "https", "accept-encoding": "identity" },
      });
      expect([seen.protocol, seen.status]).toEqual(["h2", direct.status]);
      const changing = ["date", "set-cookie", "content-length", "connection", "keep-alive", "x-request-id"];
      for (const [name, value] of direct.headers)
        if (!changing.includes(name))
          expect({ path, name, value: seen.headers.get(name) }).toEqual({ path, name, value });
      expect(seen.headers.get("strict-transport-security")).toMatch(/^max-age=\d{8}$/);
      expect(seen.headers.get("x-content-type-options")).toBe("nosniff");
      expect(seen.headers.get("server")).toBe("nginx");
    }
  });

  test("brings styles that are compressed once and kept for ever, and asked for in vain when they are there", async () => {
    const page = (await ask("/")).body.toString();
    const path = /\/assets\/main-[^"]+\.css/.exec(page)?.[0] ?? "";
    const plain = (await ask(path)).body.toString();
    const { headers, body } = await ask(path, { "accept-encoding": "gzip, br" });
    expect([headers.get("content-encoding"), headers.get("cache-control")]).toEqual([
      "br",
      "public, max-age=31536000, immutable",
    ]);
    expect(brotliDecompressSync(body).toString()).toBe(plain);
    const again = { "accept-encoding": "gzip, br", "if-none-match": headers.get("etag") ?? "" };
    expect(await ask(path, again)).toMatchObject({ status: 304 });
  });

  test("signs people in by cookies that no page without TLS gets", async () => {
    const visitor = await guest(nginx);
    const answer = await visitor.submit("/login", { username: "ann", password: "correct horse" });
    expect(answer.status).toBe(303);
    expect(answer.cookie("__Host-sessionid")?.attributes).toMatchObject({
      secure: "",
      httponly: "",
      path: "/",
    });
    expect((await visitor.follow(answer)).status).toBe(200);
  });

  test("is where the world sees it, whatever a client says of that", async () => {
    const forged = {
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "http",
      "x-real-ip": "1.2.3.4",
    };
    const { headers, body } = await ask("/api/auth/session/", { ...forged, cookie: ann.cookieHeader() });
    expect(JSON.parse(body.toString())).toMatchObject({
      user: { profileImage: expect.stringContaining(`${nginx.url}/media/`) },
    });
    expect(headers.get("strict-transport-security")).not.toBeNull();
  });
});

test("what is said by form, by the API and on sockets is heard on sockets of all kinds", async () => {
  const [hers, his] = [await openGateway(ann), await openGateway(bob)];
  const [old, presence] = [await openChat(bob, "public"), await openPresence(bob)];
  expect(await presence.next(({ online }) => online?.length === 1)).toMatchObject({
    online: [{ username: "bob" }],
  });
  // Whoever hears themselves hears the others too.
  old.send({ message: "by original" });
  await old.next(({ message }) => message === "by original");
  const hears = (text: string) =>
    Promise.all([
      his.nextOf("changes", ({ changes }) => changes.some((message) => message.text === text)),
      old.next(({ message }) => message === text),
    ]);
  expect((await ann.submit("/", { text: "by form" })).status).toBe(303);
  await hears("by form");
  expect((await ann.post("/api/chat/rooms/public/messages/", { content: "by API" })).status).toBe(201);
  await hears("by API");
  expect(await hers.post("by socket")).toMatchObject({ type: "ack" });
  await hears("by socket");
  for (const socket of [hers, his, old, presence]) socket.close();
});

describe("a picture", () => {
  test("of 20 MiB is taken, and shown with the headers that it has", async () => {
    const bytes = new Uint8Array(20 * MiB);
    bytes.set(png(30, 30));
    const answer = await upload(ann, "ann", bytes);
    expect(answer.status).toBe(200);
    const { profileImage } = (answer.json() as { user: { profileImage: string } }).user;
    const shown = await ask(new URL(profileImage).pathname);
    expect([shown.status, shown.headers.get("content-type"), shown.headers.get("cache-control")]).toEqual([
      200,
      "image/webp",
      "public, max-age=2592000, immutable",
    ]);
    expect(shown.headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
  });

  test("that is too large is refused in words, a little too large or much", async () => {
    for (const size of [20 * MiB + 1, 23 * MiB]) {
      const answer = await upload(ann, "ann", new Uint8Array(size));
      expect([answer.status, answer.json()]).toEqual([413, { error: expect.stringMatching(/too large/) }]);
    }
    const form = await ann.openForm("/profile", { fields: ["image"] });
    const body = "x".repeat(23 * MiB);
    const page = await ann.request("POST", form.action, { headers: { origin: nginx.url }, body });
    expect([page.status, page.text]).toEqual([413, expect.stringMatching(/20 MB[^]*20 МБ/)]);
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("that comes slowly holds nobody up, as it would without nginx", async () => {
    const node = nodes[0] as Process;
    const carl = await member(node, "carl");
    const held = [stall(carl), stall(carl)];
    // Until they are there, others are answered.
    let waiting: ReturnType<typeof upload>;
    do waiting = upload(carl, "carl", largePicture());
    while (await Promise.race([waiting, Bun.sleep(300)]));
    for (const socket of held) socket.destroy();
    expect((await waiting).status).toBe(200);

    const slow = Array.from({ length: 5 }, () => stall(ann));
    await Bun.sleep(200);
    expect((await upload(bob, "bob", largePicture())).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});

describe("somebody who tries passwords", () => {
  const attempts: { visitor: Client; count: number } = { visitor: stranger({ url: "" }), count: 0 };
  beforeAll(async () => {
    attempts.visitor = await guest(nginx);
  });
  const attempt = async (from: string, forged: OutgoingHttpHeaders = {}) => {
    const { visitor } = attempts;
    const headers = {
      ":method": "POST",
      "content-type": "application/json",
      origin: nginx.url,
      cookie: visitor.cookieHeader(),
      "x-csrftoken": visitor.cookies.get("csrftoken"),
      ...forged,
    };
    const body = JSON.stringify({ username: `nobody${++attempts.count}`, password: "wrong" });
    return (await ask("/api/auth/login/", headers, body, from)).status;
  };

  test("is counted by their own address, on all nodes together, whatever they say that it is", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < ATTEMPTS + 2; i++)
      statuses.push(
        await attempt("127.0.0.7", {
          "x-forwarded-for": `198.51.100.${i}`,
          "x-real-ip": `198.51.100.${i}`,
          forwarded: `for=198.51.100.${i}`,
        }),
      );
    expect(statuses).toEqual([...Array<number>(ATTEMPTS).fill(400), 429, 429]);
    expect(await attempt("127.0.0.8")).toBe(400);
  });
});

describe("when a node is restarted in the middle of it", () => {
  test("its sockets come back to the other, and nothing that was said is lost or said twice", async () => {
    const people = await Promise.all(["dora", "emil", "fay", "gus"].map((name) => member(nginx, name)));
    const restarts = { done: false };
    const readers = await Promise.all(people.map(follow));
    const watchers = await Promise.all(people.map((person) => openGateway(person)));
    const talks = people.map((person, i) => talk(person, `words of ${i}`, restarts));
    for (const [i, port] of ports.entries()) {
      await Bun.sleep(300);
      expect(await nodes[i]?.kill("SIGTERM")).toBe(0);
      expect((await ann.get("/", { accept: "text/html" })).status).toBe(200);
      nodes[i] = await start(port);
      if (i === 0) {
        const lost = watchers.filter((watcher) => !watcher.isOpen()).length;
        expect(lost).toBeWithin(1, watchers.length);
      }
    }
    for (const watcher of watchers) expect((await watcher.closed).code).toBe(1012);
    restarts.done = true;
    const said = (await Promise.all(talks)).flat();
    const last = Math.max(...said.map(({ seq }) => seq));
    expect(said.length).toBeGreaterThan(50);
    for (const { heard, stop } of readers) {
      while (!heard.has(last)) await Bun.sleep(10);
      await stop();
      for (const { seq, text } of said) expect(heard.get(seq)).toBe(text);
      expect(new Set(heard.values()).size).toBe(heard.size);
      const numbers = [...heard.keys()];
      expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
    }
  });

  test("and none is left, people and programs are told so in words, and when to come back", async () => {
    await Promise.all(nodes.map((node) => node.kill("SIGTERM")));
    const [page, api] = [await ann.get("/", { accept: "text/html" }), await ann.get("/api/auth/session/")];
    expect([page.status, page.text]).toEqual([503, expect.stringMatching(/restarted[^]*перезапускается/)]);
    expect([api.status, api.json()]).toEqual([503, { error: "Temporarily unavailable" }]);
    for (const { headers } of [page, api]) expect(headers.get("retry-after")).toBe("5");
    nodes = await Promise.all(ports.map(start));
    while ((await ann.get("/api/auth/session/")).status !== 200) await Bun.sleep(50);
  });
});

test("the log of requests has neither secrets nor what was asked for after a question mark", async () => {
  const room = await makeRoom(ann, "Tea");
  const link = await invite(ann, room);
  await join(bob, link);
  await bob.get("/search?q=something-private");
  // A request is logged when it has been answered.
  const asked = ['"GET /invitations/... HTTP/1.1" 200', '"GET /search HTTP/1.1"'];
  while (!asked.every((line) => nginx.accessLog().includes(line))) await Bun.sleep(10);
  const log = nginx.accessLog();
  const secrets = [link.slice("/invitations/".length), "something-private", ...ann.cookies.values()];
  for (const secret of secrets) expect(log).not.toContain(secret);
  expect(log).not.toContain("?");
});

function largePicture(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MiB);
  bytes.set(png(30, 30));
  return bytes;
}

/** Begins a large upload and does not go on. */
function stall(client: Client): Socket {
  const { hostname, port, host, protocol } = new URL(client.place.url);
  const lines = [
    `POST ${PROFILE} HTTP/1.1`,
    `host: ${host}`,
    `origin: ${client.origin}`,
    `cookie: ${client.cookieHeader()}`,
    `x-csrftoken: ${client.cookies.get("csrftoken")}`,
    "content-type: multipart/form-data; boundary=x",
    `content-length: ${MiB}`,
  ];
  const to = { host: hostname, port: Number(port) };
  const socket = protocol === "https:" ? connectTls({ ...to, ca: client.place.ca }) : connect(to);
  socket.once(protocol === "https:" ? "secureConnect" : "connect", () => {
    socket.write(`${lines.join("\r\n")}\r\n\r\n--x\r\n`);
  });
  return socket;
}

/** Opens it as often as needed, as pages do. */
async function reopen(person: Client, held: Parameters<typeof openGateway>[1]): Promise<Gateway> {
  for (;;) {
    try {
      return await openGateway(person, held);
    } catch {
      await Bun.sleep(20);
    }
  }
}

interface Said {
  text: string;
  seq: number;
}

/** Says one thing after the other, each with its key until it is acknowledged. */
async function talk(person: Client, words: string, restarts: { done: boolean }): Promise<Said[]> {
  const said: Said[] = [];
  let gateway = await reopen(person, []);
  while (!restarts.done) {
    const [text, key] = [`${words}, ${said.length}`, newKey()];
    for (let seq = 0; seq === 0;) {
      const answer = await gateway.post(text, key).catch(() => null);
      if (answer?.type === "ack") seq = said[said.push({ text, seq: answer.seq }) - 1]?.seq ?? 0;
      else gateway = await reopen(person, []);
    }
    await Bun.sleep(5);
  }
  gateway.close();
  return said;
}

/** Reads the public room from its newest message on, over as many sockets as it takes. */
async function follow(person: Client) {
  const heard = new Map<number, string>();
  let gateway = await openGateway(person);
  const { epoch } = gateway;
  const answer = await person.get("/api/chat/rooms/public/messages/?limit=1");
  let rev = (answer.json() as { messages: { seq: number }[] }).messages[0]?.seq ?? 0;
  const life = { isOver: false };

  async function read(): Promise<void> {
    while (!life.isOver) {
      const frame = await gateway.nextOf("changes").catch(() => null);
      for (const { seq, text } of frame?.changes ?? []) heard.set(seq, text ?? "");
      if (frame) rev = frame.to;
      else if (!life.isOver) gateway = await reopen(person, [{ room: "public", epoch, rev }]);
    }
  }

  const reading = read();
  return {
    heard,
    async stop() {
      life.isOver = true;
      gateway.close();
      await reading;
    },
  };
}
