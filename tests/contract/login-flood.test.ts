import { afterAll, beforeAll, expect, test } from "bun:test";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { messagesOn } from "../../src/testing/html.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

const LOGINS = 60;

/** So often a page is read and a message written meanwhile. */
const ROUNDS = 20;

/** Between two rounds. */
const PAUSE_MS = 10;

/**
 * So many logins may be answered between a question and its answer; at the end of a queue all of them would be, each time.
 * As many are while the test itself stands still, which it does now and then.
 */
const OVERTAKEN_MAX = LOGINS / 3;

const PEOPLE = ["ann", "bob", "carl", "dora"];

/** In turn somebody who knows the password, somebody who does not, and somebody whom nobody knows. */
const KINDS = [
  { login: (who: Client, name: string) => who.login(name), status: 200 },
  { login: (who: Client, name: string) => who.login(name, "wrong"), status: 400 },
  { login: (who: Client) => who.login("nobody"), status: 400 },
];

/** A process of its own, so that what the test does itself takes nothing from the server's loop. */
let server: Process;
let dataDir: string;
beforeAll(async () => {
  dataDir = makeDataDir();
  server = await startProcess(dataDir);
  for (const name of PEOPLE) await member(server, name);
});
afterAll(async () => {
  await server.stop();
  removeDataDir(dataDir);
});

test("while 60 people log in at once, pages are read and messages written as ever", async () => {
  const writer = await openGateway(await member(server, "writer"));
  const reader = await guest(server);
  const attempts = await Promise.all(
    Array.from({ length: LOGINS }, async (_, i) => {
      const name = PEOPLE[i % PEOPLE.length] ?? "";
      return { ...(KINDS[i % KINDS.length] as (typeof KINDS)[0]), name, who: await guest(server) };
    }),
  );

  // Whoever is answered comes again, so that the flood outlasts all rounds.
  const rounds = new AbortController();
  let answered = 0;
  const flood = Promise.all(
    attempts.map(async ({ login, who, name }) => {
      const statuses = new Set<number>();
      do {
        statuses.add((await login(who, name)).status);
        answered++;
      } while (!rounds.signal.aborted);
      return [...statuses];
    }),
  );

  let slow = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const before = answered;
    const ack = await writer.post(`round ${round}`);
    const page = await reader.get("/");
    expect([ack.type, page.status]).toEqual(["ack", 200]);
    expect(messagesOn(page.text).at(-1)?.text).toBe(`round ${round}`);
    if (answered - before >= OVERTAKEN_MAX) slow++;
    expect(slow).toBeLessThan(ROUNDS / 4);
    await Bun.sleep(PAUSE_MS);
  }
  rounds.abort();

  expect(await flood).toEqual(attempts.map(({ status }) => [status]));
  for (const { who, name, status } of attempts) {
    const session = (await who.get("/api/auth/session/")).json();
    const user = status === 200 ? expect.objectContaining({ username: name }) : null;
    expect(session).toEqual({ authenticated: status === 200, user });
  }
  writer.close();
});
