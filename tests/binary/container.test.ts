/** What the Dockerfile says, done by hand: no engine is needed to find out whether it is right. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { validate } from "dockerfile-utils";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { guest, member } from "../../src/testing/client.ts";
import { openGateway } from "../../src/testing/socket.ts";

setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, "..", "..");
const text = readFileSync(join(ROOT, "Dockerfile"), "utf8");
const lines = text.split("\n").filter((line) => /^[A-Z]/.test(line));
const [, build = [], last = []] = lines
  .join("\n")
  .split(/^(?=FROM )/m)
  .map((stage) => stage.split("\n").filter(Boolean));
const all = (stage: string[], word: string) =>
  stage.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

/** Docker's own rule: the last line that fits decides, and `!` takes back. */
function isInContext(path: string, ignored: readonly string[]): boolean {
  let isIn = true;
  for (const line of ignored) {
    const pattern = line.replace(/^!/, "");
    const fits = [pattern, `${pattern}/**`].some((glob) => new Bun.Glob(glob).match(path));
    if (fits) isIn = line.startsWith("!");
  }
  return isIn;
}

test("a linter finds nothing in the Dockerfile", () => {
  expect(validate(text)).toEqual([]);
  expect(validate("FORM scratch").length).toBeGreaterThan(0);
});

test("its bases are named once, with a version, and can be given as a digest", () => {
  expect(all(lines, "ARG")).toEqual([
    `BUN_IMAGE=oven/bun:${Bun.version}`,
    expect.stringMatching(/^BASE_IMAGE=gcr\.io\/distroless\/base-debian12:\w+$/),
  ]);
  expect([build[0], last[0]]).toEqual(["FROM ${BUN_IMAGE} AS build", "FROM ${BASE_IMAGE}"]);
});

describe("the build", () => {
  let context: string;
  let files: string[];
  beforeAll(async () => {
    context = mkdtempSync(join(tmpdir(), "echochat-context-"));
    const listed = await Bun.$`git ls-files --cached --others --exclude-standard`.cwd(ROOT).text();
    const ignored = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    const rules = ignored.filter((line) => line !== "" && !line.startsWith("#"));
    const secret = ["deploy/certs/privkey.pem", ".env", "data/echochat.sqlite", "node_modules/x/index.js"];
    files = [...listed.trim().split("\n"), ...secret].filter((path) => isInContext(path, rules));
    for (const path of files) {
      mkdirSync(dirname(join(context, path)), { recursive: true });
      copyFileSync(join(ROOT, path), join(context, path));
    }
  });
  afterAll(() => rmSync(context, { recursive: true, force: true }));

  test("is given the program and nothing else", () => {
    expect(files).toContain("src/main.ts");
    const folders = new Set(files.map((path) => path.replace(/\/.*/, "")));
    expect([...folders].toSorted()).toEqual(
      [
        "bun.lock",
        "bunfig.toml",
        "deploy",
        "drizzle",
        "islands",
        "package.json",
        "patches",
        "public",
        "src",
        "tsconfig.json",
        "views",
      ].toSorted(),
    );
    expect(files.filter((path) => /\.test\.|testing|\.pem|\.env|\.md$/.test(path))).toEqual([]);
    const size = files.reduce((sum, path) => sum + statSync(join(context, path)).size, 0);
    expect(size).toBeLessThan(5 * 1024 * 1024);
  });

  test("makes the program of that, step by step", async () => {
    const [install = "", make = ""] = all(build, "RUN");
    const path = `${dirname(process.execPath)}:${process.env.PATH}`;
    const shell = (line: string) =>
      Bun.$`sh -c ${line}`
        .cwd(context)
        .env({ ...process.env, PATH: path })
        .quiet();
    await shell(install);
    await shell(make.replace("/made/", "made/"));
    expect(existsSync(join(context, "made/data/media"))).toBe(true);
    expect((await shell("out/echochat --version")).text()).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(existsSync(join(context, "node_modules/playwright-core"))).toBe(false);
  });
});

/** Of what Google's "base" has: glibc and certificates, from this machine. */
const BASE = [
  ...["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"].map(
    (name) => `/lib/x86_64-linux-gnu/${name}`,
  ),
  "/lib64/ld-linux-x86-64.so.2",
  "/etc/ssl/certs/ca-certificates.crt",
].filter((path) => existsSync(path));

/** In a view of the disk of its own, where all but the data is read-only: as compose starts it. Gone with the process. */
const CONTAINED = `
  mount --bind "$0" "$0" && mount --bind "$0/data" "$0/data" && mount --bind /proc "$0/proc" &&
  mount -o remount,bind,ro "$0" && exec /usr/sbin/chroot "$@"`;

const canContain =
  process.arch === "x64" && Bun.spawnSync(["sh", "-c", "unshare --mount true"]).exitCode === 0;

describe.skipIf(!canContain)("the image", () => {
  let root: string;
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  let url: string;
  const user = all(last, "USER")[0] ?? "";
  const entry = JSON.parse(all(last, "ENTRYPOINT")[0] ?? "[]") as string[];
  const env = {
    ...Object.fromEntries((all(last, "ENV")[0] ?? "").split(" ").map((pair) => pair.split("="))),
    PORT: "0",
  } as Record<string, string>;
  const inside = (...command: string[]) => {
    const changed = [root, `--userspec=${user}`, root, ...command];
    return ["unshare", "--mount", "sh", "-c", CONTAINED, ...changed];
  };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "echochat-image-"));
    chmodSync(root, 0o755);
    mkdirSync(join(root, "proc"));
    for (const path of BASE) {
      mkdirSync(dirname(root + path), { recursive: true });
      copyFileSync(path, root + path);
    }
    const made: Record<string, string> = { "/app/out/echochat": await binary() };
    for (const line of all(last, "COPY")) {
      const [, owner, from = "", to = ""] = /^--from=build (?:--chown=(\S+) )?(\S+) (\S+)$/.exec(line) ?? [];
      if (made[from]) copyFileSync(made[from], root + to);
      else mkdirSync(`${root}${to}/media`, { recursive: true });
      const [uid = 0, gid = 0] = (owner ?? "0:0").split(":").map(Number);
      for (const path of made[from] ? [to] : [to, `${to}/media`]) chownSync(root + path, uid, gid);
    }
    child = Bun.spawn(inside(...entry), { env, stdio: ["ignore", "pipe", "pipe"] });
    url = await ready();
  });
  afterAll(async () => {
    child.kill("SIGKILL");
    await child.exited;
    rmSync(root, { recursive: true, force: true });
  });

  async function ready(): Promise<string> {
    let output = "";
    for await (const chunk of child.stdout) {
      output += new TextDecoder().decode(chunk);
      const [, found] = /ready: open (http\S+)/.exec(output) ?? [];
      if (found) return found.replace("0.0.0.0", "localhost");
    }
    throw new Error(`it did not start:\n${output}${await new Response(child.stderr).text()}`);
  }

  test("runs as nobody, who may write to its data and nowhere else", async () => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(existsSync(join(root, "data/echochat.sqlite"))).toBe(true);
    expect(statSync(join(root, "echochat")).uid).toBe(0);
    const elsewhere = Bun.spawnSync(inside(...entry), { env: { ...env, DATA_DIR: "/etc" } });
    expect([elsewhere.exitCode, elsewhere.stderr.toString().trim().split("\n").length]).toEqual([1, 1]);
  });

  test("has everything that a chat needs", async () => {
    const ann = await member({ url }, "ann");
    const hers = await openGateway(ann);
    expect(await hers.post("hello")).toMatchObject({ type: "ack" });
    expect((await (await guest({ url })).get("/")).text).toContain("hello");
    hers.close();
  });

  test("makes accounts beside the server", () => {
    const command = inside(...entry, "user", "create", "root", "--superuser");
    const input = Buffer.from("a long and unusual passphrase\n");
    const { exitCode, stderr } = Bun.spawnSync(command, { env, stdin: input });
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
  });

  test("is well by its own word, and not when nobody listens", () => {
    const [, check = ""] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(text) ?? [];
    const command = JSON.parse(check) as string[];
    expect(command[0]).toBe(entry[0]);
    const ask = (port: string) => Bun.spawnSync(inside(...command), { env: { ...env, PORT: port } }).exitCode;
    expect(ask(new URL(url).port)).toBe(0);
    expect(ask("1")).toBe(1);
  });

  test("ends within its grace when it is told so, with a good exit code", async () => {
    const startedAt = Date.now();
    const signal = all(last, "STOPSIGNAL")[0] as "SIGTERM";
    child.kill(signal);
    expect(await child.exited).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });
});
