/** The nginx that is shipped in front of nodes: this machine's own program, with the files of deploy/ and a private place. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./postgres.ts";
import type { Place } from "./world.ts";

export interface Nginx extends Place {
  url: string;
  ca: string;
  /** Where it speaks without TLS. */
  plain: Place;
  /** What it has logged of requests. */
  accessLog(): string;
  stop(): Promise<void>;
}

const ROOT = join(import.meta.dir, "..", "..");
const PLACES = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"];
const START_PATIENCE_MS = 10_000;

/** From this version on HTTP/2 is a directive of its own. */
const OWN_DIRECTIVE = 1.025_001;

export function findNginx(): string | null {
  return (process.env["NGINX"] ? [process.env["NGINX"]] : PLACES).find((path) => existsSync(path)) ?? null;
}

/** Why there can be none; undefined when there can. */
export function whyNoNginx(): string | undefined {
  if (!findNginx()) return "no nginx found; install nginx-light or set NGINX";
  return Bun.which("openssl") ? undefined : "no openssl found, which makes a certificate; install openssl";
}

/** `nodes` are the ports of those behind it on this machine. */
export async function startNginx(nodes: readonly number[]): Promise<Nginx> {
  const program = findNginx();
  if (!program) throw new Error(whyNoNginx());
  const folder = mkdtempSync(join(tmpdir(), "echochat-nginx-"));
  const [plain, secure] = [await freePort(), await freePort()];
  // The only difference from what is shipped: its ports, and where the nodes are.
  const shipped = readFileSync(join(ROOT, "deploy/nginx.conf"), "utf8");
  const isOld = versionOf(program) < OWN_DIRECTIVE;
  const conf = shipped
    .replace("listen 80 ", `listen 127.0.0.1:${plain} `)
    .replace("listen 443 ssl ", `listen 127.0.0.1:${secure} ssl ${isOld ? "http2 " : ""}`);
  writeFileSync(join(folder, "nginx.conf"), conf);
  writeFileSync(join(folder, "nodes.conf"), `${isOld ? "" : "http2 on;\n"}${placeOf(nodes)}`);
  mkdirSync(join(folder, "temp"));
  // Started by root, it works as somebody who has no rights.
  chmodSync(folder, 0o755);
  makeCertificate(join(folder, "certs"));

  const log = join(folder, "access.log");
  const errors = join(folder, "error.log");
  const directives = `daemon off; pid ${join(folder, "pid")};`;
  const child = Bun.spawn([program, "-p", folder, "-c", join(folder, "nginx.conf"), "-g", directives], {
    stdout: Bun.file(log),
    stderr: Bun.file(errors),
  });
  const deadline = Date.now() + START_PATIENCE_MS;
  const listens = () => fetch(`http://127.0.0.1:${plain}/`, { redirect: "manual" }).catch(() => null);
  while (!(await listens())) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`nginx did not start:\n${readFileSync(errors, "utf8")}`);
    await Bun.sleep(10);
  }
  return {
    url: `https://localhost:${secure}`,
    ca: readFileSync(join(folder, "certs/fullchain.pem"), "utf8"),
    plain: { url: `http://localhost:${plain}` },
    accessLog: () => readFileSync(log, "utf8"),
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As `deploy/nodes.conf`, for nodes that stay where they are. */
function placeOf(nodes: readonly number[]): string {
  const shipped = readFileSync(join(ROOT, "deploy/nodes.conf"), "utf8");
  const servers = nodes.map((port) => `server 127.0.0.1:${port} max_fails=0;`);
  const upstream = /upstream echochat \{[^}]*\}/.exec(shipped)?.[0] ?? "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return [
    upstream.replace(/server app:3000 [^;]*;/, servers.join("\n")),
    ...temporary.map((name) => `${name}_temp_path temp/${name};`),
  ].join("\n");
}

/** 1.22.1 as 1.022001, to be compared. */
function versionOf(program: string): number {
  const told = Bun.spawnSync([program, "-v"]).stderr.toString();
  const [major = 0, minor = 0, patch = 0] = (/nginx\/([\d.]+)/.exec(told)?.[1] ?? "").split(".").map(Number);
  return major + minor / 1e3 + patch / 1e6;
}

/** Signed by itself, for the names of this machine. */
function makeCertificate(folder: string): void {
  mkdirSync(folder);
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    "privkey.pem",
  ];
  const command = ["openssl", "req", "-x509", "-days", "2", ...key, "-out", "fullchain.pem", ...names];
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd: folder });
  if (exitCode !== 0) throw new Error(`openssl made no certificate:\n${stderr.toString()}`);
}
