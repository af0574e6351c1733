import { afterAll, beforeAll, expect, test } from "bun:test";
import { expectSecurityHeaders } from "../../src/testing/answers.ts";
import { ask, shakeHands } from "../../src/testing/raw.ts";
import {
  makeDataDir,
  removeDataDir,
  startProcess,
  startWorld,
  type Process,
} from "../../src/testing/world.ts";

const PATHS = [
  "/",
  "/login",
  "/nothing-here",
  "/api/auth/session/",
  "/api/nothing/",
  "/api/auth/csrf",
  "/ws/",
];

/**
 * A process of its own: an error that nobody catches there is seen in its output, not in another test. It has no Redis,
 * of which it would tell as well that it was away for a moment.
 */
let server: Process;
const dataDir = makeDataDir();
beforeAll(async () => {
  server = await startProcess(dataDir, { REDIS_URL: undefined });
});
afterAll(async () => {
  await server.stop();
  removeDataDir(dataDir);
});

const short = ["x", "nas", "box"];
const strange = [
  "",
  "a b",
  "[::1",
  "%zz",
  "localhost:99999",
  "//evil",
  "@",
  "a/b",
  "a?b",
  "a#b",
  "x@y",
  "\xff",
  "evil.example",
];

test.each([...short, ...strange])(
  "a request that names the host %j is refused, or answered as any other",
  async (host) => {
    const wrong: unknown[] = [];
    for (const path of PATHS) {
      const usual = await ask(server, { path });
      const answer = await ask(server, { path, headers: { host } });
      if (answer.status !== usual.status && answer.status !== 400)
        wrong.push({ path, status: answer.status });
      else if (answer.status !== 400) expectSecurityHeaders(answer);
    }
    expect(wrong).toEqual([]);
  },
);

test("nothing of all this is an error that the server did not expect", () => {
  expect(server.output().trim().split("\n")).toEqual([expect.stringContaining("ready")]);
});

test("where the operator names the hosts, no other is served and no page of another opens a socket", async () => {
  const named = await startWorld({ ALLOWED_HOSTS: "chat.example.org" });
  const get = async (host: string) =>
    (await ask(named, { path: "/api/auth/session/", headers: { host } })).status;
  const shake = async (host: string) =>
    (await shakeHands(named, "/ws/", { host, origin: `http://${host}` })).status;
  expect([await get("chat.example.org"), await shake("chat.example.org")]).toEqual([200, 101]);
  expect([await get("CHAT.example.org:8443"), await shake("chat.example.org:8443")]).toEqual([200, 101]);
  expect(await shake("evil.example")).not.toBe(101);
  expect(await get("evil.example")).toBe(400);
  await named.stop();
});
