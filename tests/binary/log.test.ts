/** What the binary writes of what goes wrong: enough to find it, and nothing that is nobody's business. */
import { Database } from "bun:sqlite";
import { afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { png } from "../../src/testing/pictures.ts";
import { invite, makeRoom } from "../../src/testing/rooms.ts";
import { openChat, openGateway } from "../../src/testing/socket.ts";
import {
  makeDataDir,
  removeDataDir,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TEXT = "what nobody else may read";

interface Line extends Record<string, unknown> {
  level: string;
  event: string;
}

let program: string;
let dataDir: string;

beforeAll(async () => {
  program = await binary();
});
beforeEach(() => {
  dataDir = makeDataDir();
});
afterEach(() => removeDataDir(dataDir));

/** Behind the program's back: nothing that is asked of these tables succeeds any more. */
function breakTables(...names: string[]): void {
  const database = new Database(join(dataDir, "echochat.sqlite"));
  database.run("PRAGMA busy_timeout = 5000");
  database.run("PRAGMA foreign_keys = OFF");
  for (const name of names) database.run(`ALTER TABLE ${name} RENAME TO ${name}_away`);
  database.close();
}

function linesOf({ output }: Process): Line[] {
  return output()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("EchoChat is ready"))
    .map((line) => JSON.parse(line) as Line);
}

async function errorsOf(server: Process, count: number): Promise<Line[]> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const errors = linesOf(server).filter(({ level }) => level === "error");
    if (errors.length >= count || performance.now() > deadline) return errors;
    await Bun.sleep(10);
  }
}

describe("a request that fails", () => {
  let server: Process;
  let ann: Client;
  const start = async (env: Environment = {}) => {
    server = await startProcess(dataDir, env, program);
    ann = await member(server, "ann");
  };
  afterEach(() => server.stop());

  test("is one line with its method, its route, who asked, and the id that the answer has", async () => {
    await start();
    breakTables("messages");
    const page = await ann.get("/rooms/public?before=7");
    expect(page.status).toBe(500);
    const [line] = await errorsOf(server, 1);
    expect(line).toMatchObject({ event: "request failed", method: "GET", route: "/rooms/:slug", userId: 1 });
    expect(line?.["requestId"]).toMatch(UUID);
    expect(page.headers.get("x-request-id")).toBe(line?.["requestId"] as string);
    expect(JSON.stringify(line)).not.toContain("before=7");
    expect(JSON.stringify(line)).toContain("no such table");
  });

  test("has the id that a trusted proxy gave it, if that is short and plain", async () => {
    await start();
    const idOf = async (given: string) =>
      (await ann.get("/nowhere", { "x-request-id": given })).headers.get("x-request-id");
    expect(await idOf("req-1.2:3_four")).toBe("req-1.2:3_four");
    for (const odd of ["x".repeat(65), "two words", 'quo"te', "<b>", ""])
      expect(await idOf(odd)).toMatch(UUID);
  });

  test("has an id of our own where anybody may have given it one", async () => {
    await start({ TRUSTED_PROXIES: "192.0.2.1" });
    const { headers } = await ann.get("/nowhere", { "x-request-id": "mine" });
    expect(headers.get("x-request-id")).toMatch(UUID);
  });

  test("tells no cookie, password, token or text, whatever kind of route it was", async () => {
    await start();
    const link = await invite(ann, await makeRoom(ann, "hers"));
    const invited = link.replace("/invitations/", "");
    const socket = await openGateway(ann);
    const original = await openChat(ann, "public");
    const session = ann.cookies.get("sessionid") ?? "";
    const csrf = ann.cookies.get("csrftoken") ?? "";
    expect([session, csrf].every((secret) => secret.length > 20)).toBe(true);
    breakTables("messages", "invitations", "members", "audit");

    expect(await socket.post(TEXT)).toMatchObject({ type: "refusal", code: "unavailable" });
    original.send({ message: TEXT });
    expect(await original.next()).toMatchObject({ error: "unavailable" });
    const form = { username: "ann", password: PASSWORD };
    const failing = [
      () => ann.get(`${link}?q=${TEXT}`),
      () => ann.post("/api/chat/rooms/public/messages/", { content: TEXT }),
      () => ann.patch("/api/chat/rooms/public/messages/1/", { content: TEXT }),
      () => ann.post("/rooms/public/messages", { text: TEXT, csrfmiddlewaretoken: csrf }, { as: "form" }),
      () => ann.get("/rooms"),
      () => ann.get("/rooms/public/messages/1"),
      () => ann.post("/api/auth/login/", { ...form, password: `${PASSWORD}!` }),
      () =>
        ann.post("/login", { ...form, password: `${PASSWORD}!`, csrfmiddlewaretoken: csrf }, { as: "form" }),
    ];
    for (const fail of failing) expect((await fail()).status).toBeGreaterThanOrEqual(400);

    breakTables("users", "sessions");
    const email = "secret@example.org";
    for (const fail of [
      () => stranger(server).post("/api/auth/login/", form),
      () => ann.register("somebody-new", "another correct horse"),
      () => ann.post("/api/auth/profile/", { username: "ann", email, bio: TEXT }),
      () =>
        ann.post(
          "/profile",
          { username: "ann", bio: TEXT, image: new File([png(9, 9)], "a.png") },
          { as: "multipart" },
        ),
      () => ann.get("/api/admin/users/", { authorization: "Bearer secret" }),
      () => stranger(server).get("/", { cookie: `sessionid=${session}` }),
    ])
      await fail();

    const errors = await errorsOf(server, 10);
    expect(errors.length).toBeGreaterThanOrEqual(10);
    const routes = new Set(errors.map(({ route }) => route));
    expect(routes).toContain("/invitations/:token");
    expect(routes).toContain("/api/chat/rooms/:slug/messages/:id/");
    const log = server.output();
    const secrets = [
      TEXT,
      encodeURIComponent(TEXT),
      PASSWORD,
      "another correct",
      "pbkdf2",
      "argon2id",
      invited,
    ];
    for (const secret of [...secrets, session, csrf, email, "Bearer", "sessionid", "somebody-new"])
      expect(log).not.toContain(secret);
    socket.close();
    original.close();
  });
});

describe("at a terminal", () => {
  async function screenOf(env: Record<string, string>): Promise<string> {
    let screen = "";
    const ready = Promise.withResolvers<string>();
    const child = Bun.spawn([program], {
      env: { PATH: process.env["PATH"], DATA_DIR: dataDir, PORT: "0", TERM: "xterm", ...env },
      terminal: {
        cols: 200,
        data(_, data) {
          screen += new TextDecoder().decode(data);
          const [, url] = /ready: open (http\S+)/.exec(screen) ?? [];
          if (url) ready.resolve(url);
        },
      },
    });
    const place = { url: await ready.promise };
    breakTables("messages");
    expect((await stranger(place).get("/rooms/public?q=%0a%1b[2J")).status).toBe(500);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    while (!screen.includes("SIGTERM")) await Bun.sleep(5);
    child.terminal?.close();
    return screen;
  }

  test("each event is one line for people, in colours", async () => {
    const screen = await screenOf({});
    const lines = screen.trimEnd().split("\r\n");
    expect(lines).toHaveLength(3);
    // eslint-disable-next-line no-control-regex
    const plain = lines.map((line) => line.replace(/\u001b\[\d+m/g, ""));
    expect(plain[1]).toMatch(
      /^\d\d:\d\d:\d\d error request failed requestId=\S{36} method=GET route=\/rooms\/:slug error\.name=/,
    );
    expect(plain[2]).toMatch(/^\d\d:\d\d:\d\d info {2}stopping signal=SIGTERM$/);
    expect(lines[1]).toContain("\u001b[31merror");
    expect(plain.join("")).not.toContain("\u001b");
  });

  test("there are no colours for whoever wants none", async () => {
    const screen = await screenOf({ NO_COLOR: "1" });
    expect(screen).toContain("info  stopping signal=SIGTERM");
    expect(screen).not.toContain("\u001b");
  });
});
