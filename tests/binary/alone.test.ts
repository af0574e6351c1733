/** One file in an empty place: everything that people do with it works, and nothing else is needed or touched. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { makeAlone, type Alone } from "../../src/testing/chroot.ts";
import { guest, member, PASSWORD, stranger } from "../../src/testing/client.ts";
import { lockSqlite } from "../../src/testing/database.ts";
import { png } from "../../src/testing/pictures.ts";
import { makeRoom } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { runCommand, startProcess, type Place, type Process } from "../../src/testing/world.ts";
import { version } from "../../package.json";

setDefaultTimeout(60_000);

/** Generous: what it takes is measured elsewhere. */
const START_MAX_MS = 3_000;
const MEMORY_MAX = 160 * 1024 * 1024;

/** How long it has had to wait for a processor, where the system tells: that is the machine's doing. Milliseconds. */
function queuedFor({ pid }: Process): number {
  const file = `/proc/${pid}/schedstat`;
  const [, waited = 0] = existsSync(file) ? readFileSync(file, "utf8").split(" ").map(Number) : [];
  return waited / 1e6;
}

/** People find each other, talk, and change how they look. */
async function journey(place: Place): Promise<void> {
  const ann = await member(place, "ann");
  const bob = await member(place, "bob");
  const listening = await openGateway(bob);
  const speaking = await openGateway(ann);
  expect((await speaking.post("hello from one file")).type).toBe("ack");
  expect(await listening.nextOf("changes")).toMatchObject({ changes: [{ text: "hello from one file" }] });
  speaking.close();
  listening.close();
  const read = await bob.get("/api/chat/rooms/public/messages/");
  expect(read.text).toContain("hello from one file");

  const image = new File([png(60, 40)], "a.png");
  const changed = await ann.post("/api/auth/profile/", { username: "ann", image }, { as: "multipart" });
  expect(changed.status).toBe(200);
  const { profileImage } = (changed.json() as { user: { profileImage: string } }).user;
  const avatar = await fetch(profileImage);
  expect([avatar.status, avatar.headers.get("content-type")]).toEqual([200, "image/webp"]);

  const room = await makeRoom(ann, "A room");
  expect((await ann.get(`/rooms/${room}`)).status).toBe(200);
  expect((await bob.get(`/rooms/${room}`)).status).toBe(404);
}

/** Whatever the first page links to: scripts, styles and icons, and what these link to. */
async function everythingLinked(place: Place): Promise<string[]> {
  const page = await (await guest(place)).get("/");
  const links = [...page.text.matchAll(/(?:href|src)="(\/[^"]+\.(?:js|css|svg|png|ico|webmanifest)[^"]*)"/g)];
  const paths = [...new Set(links.map(([, path = ""]) => path))];
  for (const path of paths) {
    const answer = await stranger(place).get(path);
    expect([path, answer.status]).toEqual([path, 200]);
    expect(answer.text.length).toBeGreaterThan(0);
  }
  return paths;
}

describe("in an empty folder", () => {
  let folder: string;
  let server: Process;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "echochat-empty-"));
    copyFileSync(await binary(), join(folder, "echochat"));
    const program = join(folder, "start");
    // With what everybody has in their environment, and nothing else.
    writeFileSync(program, `#!/bin/sh\ncd '${folder}' && exec env -u DATA_DIR ./echochat "$@"\n`, {
      mode: 0o755,
    });
    const startedAt = performance.now();
    server = await startProcess("", {}, program);
    expect(performance.now() - startedAt - queuedFor(server)).toBeLessThan(START_MAX_MS);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test("people talk, and their pages have all that they link to", async () => {
    await journey(server);
    const linked = await everythingLinked(server);
    for (const kind of [".js", ".css"]) expect(linked.some((path) => path.includes(kind))).toBe(true);
  });

  test("everything is kept in one folder beside it", () => {
    expect(readdirSync(folder).toSorted()).toEqual(["data", "echochat", "start"]);
    expect(readdirSync(join(folder, "data"))).toContain("echochat.sqlite");
  });

  test("it holds little memory while nobody does anything", () => {
    expect(server.memory()).toBeLessThan(MEMORY_MAX);
  });

  test("what goes wrong is told with the lines of its source", async () => {
    const lock = lockSqlite({ dataDir: join(folder, "data") });
    const answer = await stranger(server).get("/api/health/ready/");
    lock.close();
    expect(answer.status).toBe(503);
    const told = () =>
      server
        .output()
        .split("\n")
        .slice(0, -1)
        .find((each) => each.includes('"not ready"'));
    while (!told()) await Bun.sleep(5);
    const { error } = JSON.parse(told() ?? "") as { error: { stack: string } };
    const [, at] = /src\/db\/sqlite\/probe\.ts:(\d+)/.exec(error.stack) ?? [];
    const source = readFileSync(join(import.meta.dir, "..", "..", "src/db/sqlite/probe.ts"), "utf8");
    expect(source.split("\n")[Number(at) - 1]).toContain("client.run(");
  });
});

const NOWHERE: Alone = { program: "", dataDir: "", files: () => [], remove() {} };

let alone: Alone | undefined;
let whyNot = "";
try {
  alone = makeAlone(await binary());
} catch (error) {
  whyNot = String(error);
}
afterAll(() => alone?.remove());

// On a machine where it cannot be had, the name of the test says why.
describe.skipIf(!alone)(`with glibc alone, as nobody${whyNot && ` (left out: ${whyNot})`}`, () => {
  const { program, dataDir, files } = alone ?? NOWHERE;
  const run = (args: readonly string[], env: Record<string, string> = {}, input = "") =>
    runCommand("/data", args, { program, env: { SOCKET_MAX: "1000", ...env }, input });

  test("people talk, are looked after from the command line, and find everything again", async () => {
    const before = files();
    expect(before).toContain("/echochat");
    const server = await startProcess("/data", {}, program);
    await journey(server);
    const { port: PORT } = new URL(server.url);
    expect(await run(["health"], { PORT })).toMatchObject({ code: 0, stderr: "" });
    expect(await run(["doctor"], { PORT })).toMatchObject({ code: 0, stderr: "" });
    const made = await run(["user", "create", "root", "--superuser"], { PORT }, PASSWORD);
    expect(made).toEqual({ code: 0, stdout: "Made root, superuser.\n", stderr: "" });
    expect(await server.kill("SIGTERM")).toBe(0);

    const again = await startProcess("/data", {}, program);
    const root = await guest(again);
    expect((await root.login("root")).status).toBe(200);
    expect((await root.get("/api/chat/rooms/public/messages/")).text).toContain("hello from one file");
    await again.stop();
    expect(files()).toEqual(before);
    expect(
      readdirSync(dataDir).filter((name) => !/^echochat\.sqlite|^media$|^secret\.key$/.test(name)),
    ).toEqual([]);
  });

  test("it tells its version and what it can do", async () => {
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    expect((await run(["--help"])).stdout).toContain("echochat doctor");
  });

  test("a folder that it may not write is named in one line", async () => {
    // The program that starts it has a word of its own for the folder.
    const elsewhere = join(dataDir, "..", "elsewhere");
    mkdirSync(elsewhere);
    const link = program.replace(/echochat$/, "elsewhere");
    writeFileSync(link, readFileSync(program, "utf8").replace("DATA_DIR=/data", "DATA_DIR=/elsewhere"), {
      mode: 0o755,
    });
    const { code, stdout, stderr } = await runCommand("", [], { program: link, env: { PORT: "0" } });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^EchoChat cannot start: DATA_DIR: \/elsewhere\/echochat\.sqlite cannot be used: .*\n$/,
    );
    const looked = await runCommand("", ["doctor"], { program: link });
    expect(looked.code).toBe(1);
    expect(looked.stdout).toMatch(/^!! {2}data folder +\/elsewhere cannot be written .*$/m);
    rmSync(elsewhere, { recursive: true });
  });
});
