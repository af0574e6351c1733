/** What docker-compose.prod.yml says, read as compose reads it. */
import { describe, expect, test } from "bun:test";
import { DCLinter } from "dclint";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";

const ROOT = join(import.meta.dir, "..", "..");
const FILE = join(ROOT, "docker-compose.prod.yml");

interface Service {
  image: string;
  restart: string;
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  mem_limit: string;
  init?: boolean;
  ports?: string[];
  volumes?: string[];
  networks: string[] | Record<string, { ipv4_address: string }>;
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
}

interface Compose {
  services: Record<"nginx" | "app" | "postgres" | "redis", Service>;
  networks: Record<string, { internal?: boolean; ipam?: { config: Record<string, string>[] } }>;
  volumes: Record<string, unknown>;
}

const text = readFileSync(FILE, "utf8");
const { services, networks, volumes } = Bun.YAML.parse(text) as Compose;
const { nginx, app, postgres, redis } = services;

/** Matters of taste, and: the image that is built here has a name, by which it is found again. */
const NOT_OURS = ["no-build-and-image", "require-quotes-in-ports"];

test("it keeps to the schema of the Compose Specification, and to the rules of a linter", () => {
  const rules = Object.fromEntries(NOT_OURS.map((name) => [name, 0 as const]));
  const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] });
  const complaintsOf = (file: string) =>
    linter
      .lintFiles([file], false)
      .flatMap(({ messages }) => messages)
      .filter(({ category, type }) => category !== "style" || type === "error")
      .map(({ line, rule, message }) => `${line} ${rule}: ${message}`);
  const folder = mkdtempSync(join(tmpdir(), "echochat-compose-"));
  const wrong = join(folder, "compose.yml");
  writeFileSync(wrong, text.replace("mem_limit: 512m", "memory_limit: 512m"));
  expect(complaintsOf(wrong).join()).toMatch(/invalid-schema.*\/services\/app/);
  rmSync(folder, { recursive: true });
  expect(complaintsOf(FILE)).toEqual([]);
});

describe("a variable that it asks for", () => {
  /** `${NAME}`, `${NAME:?why it is needed}`, `${NAME:-else this}`. */
  const asked = [...text.matchAll(/\$\{(\w+)([^}]*)\}/g)].map(([, name = "", rest = ""]) => ({ name, rest }));

  test("is one that the program knows, or that PostgreSQL does", () => {
    const documented = readFileSync(join(ROOT, "example.env"), "utf8").matchAll(/^#? ?([A-Z]\w+)=/gm);
    const known = [...documented].map(([, name]) => name);
    expect(asked.length).toBeGreaterThan(2);
    for (const { name } of asked) expect([...known, "POSTGRES_PASSWORD"]).toContain(name);
    for (const name of Object.keys(app.environment ?? {})) expect(known).toContain(name);
  });

  test("has no default, and says where to set it", () => {
    expect(new Set(asked.map(({ name }) => name))).toEqual(
      new Set(["SECRET_KEY", "POSTGRES_PASSWORD", "PUBLIC_BASE_URL"]),
    );
    for (const { rest } of asked) expect(rest).toMatch(/^:\?must be set in \.env/);
  });

  test("makes, with a value, what the program starts with", () => {
    const filled = Object.entries({ ...app.environment, NODE_ENV: "production" }).map(([name, value]) => [
      name,
      value
        .replaceAll(/\$\{PUBLIC_BASE_URL[^}]*\}/g, "https://chat.example.org")
        .replaceAll(/\$\{[^}]*\}/g, "f00d".repeat(16)),
    ]);
    const config = readConfig(Object.fromEntries(filled) as Record<string, string>);
    expect(config).toMatchObject({ host: "0.0.0.0", port: 3000, dataDir: "/data", mediaDir: null });
    expect(config.databaseUrl).toBe(`postgres://echochat:${"f00d".repeat(16)}@postgres:5432/echochat`);
    const { ipv4_address: address } =
      (nginx.networks as Record<string, { ipv4_address: string }>)["front"] ?? {};
    expect(config.trustedProxies.check(address ?? "")).toBe(true);
    for (const other of ["172.31.251.1", "172.31.251.3", "172.31.251.130", "127.0.0.1"])
      expect(config.trustedProxies.check(other)).toBe(false);
  });
});

test("nothing but nginx is reached from outside, and the database reaches nothing outside", () => {
  expect(nginx.ports).toEqual(["0.0.0.0:80:80", "0.0.0.0:443:443"]);
  for (const { ports } of [app, postgres, redis]) expect(ports).toBeUndefined();
  expect([Object.keys(nginx.networks), app.networks]).toEqual([["front"], ["front", "back"]]);
  expect([postgres.networks, redis.networks]).toEqual([["back"], ["back"]]);
  expect(networks["back"]?.internal).toBe(true);
});

test("the address of nginx is never given to somebody else", () => {
  const [range] = networks["front"]?.ipam?.config ?? [];
  const { ipv4_address: own = "" } =
    (nginx.networks as Record<string, { ipv4_address: string }>)["front"] ?? {};
  const [subnet, given] = [range?.subnet, range?.ip_range].map(
    (network = "") => readConfig({ TRUSTED_PROXIES: network }).trustedProxies,
  );
  expect([subnet?.check(own), given?.check(own)]).toEqual([true, false]);
  expect(range?.gateway).not.toBe(own);
});

test("everybody waits for what they need to be well", () => {
  const waitsFor = ({ depends_on }: Service) =>
    Object.entries(depends_on ?? {}).map(([name, { condition }]) => `${name} ${condition}`);
  expect(waitsFor(nginx)).toEqual(["app service_healthy"]);
  expect(waitsFor(app)).toEqual(["postgres service_healthy", "redis service_healthy"]);
  for (const { healthcheck } of [nginx, postgres, redis]) expect(healthcheck?.test[0]).toBe("CMD");
  expect(readFileSync(join(ROOT, "Dockerfile"), "utf8")).toContain("\nHEALTHCHECK ");
});

test("each has bounds, few rights, comes back by itself, and is of a version that is named", () => {
  for (const service of Object.values(services)) {
    expect(service).toMatchObject({ restart: "unless-stopped", read_only: true, cap_drop: ["ALL"] });
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
  }
  for (const { image } of [nginx, postgres, redis]) expect(image).toMatch(/:\d+(\.\d+)?-\w+$/);
  for (const { stop_grace_period: grace } of [nginx, app, postgres])
    expect(Number(/^(\d+)s$/.exec(grace ?? "")?.[1])).toBeGreaterThanOrEqual(15);
});

test("what it mounts is there, or is made by it, or is the operator's certificate", () => {
  const mounted = Object.values(services).flatMap((service) => service.volumes ?? []);
  for (const [source = "", target] of mounted.map((volume) => volume.split(":"))) {
    if (target === undefined) continue; // a place without a name
    if (source.startsWith("./"))
      expect(existsSync(join(ROOT, source)) || source === "./deploy/certs").toBe(true);
    else expect(Object.keys(volumes)).toContain(source);
  }
});
