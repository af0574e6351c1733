import { afterAll, beforeAll, expect, test } from "bun:test";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { messagesOn } from "../../src/testing/html.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

const LOGINS = 60;

/** So often a page is read and a message written meanwhile; a flood without all of them would be no test. */
const ROUNDS = 20;

/** Between two rounds: short, so that the flood outlasts them all on a fast machine too. */
const PAUSE_MS = 10;

/** So many logins may be answered between a question and its answer; those at the end of a queue would see them all. */
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

  let answered = 0;
  const flood = Promise.all(
    attempts.map(async ({ login, who, name }) => {
      const answer = await login(who, name);
      answered++;
      return answer;
    }),
  );

  for (let round = 1; round <= ROUNDS; round++) {
    const before = answered;
    const ack = await writer.post(`round ${round}`);
    const page = await reader.get("/");
    expect([ack.type, page.status]).toEqual(["ack", 200]);
    expect(messagesOn(page.text).at(-1)?.text).toBe(`round ${round}`);
    expect(answered - before).toBeLessThan(OVERTAKEN_MAX);
    await Bun.sleep(PAUSE_MS);
  }
  expect(answered).toBeLessThan(LOGINS);

  const statuses = (await flood).map(({ status }) => status);
  expect(statuses).toEqual(attempts.map(({ status }) => status));
  for (const { who, name, status } of attempts) {
    const session = (await who.get("/api/auth/session/")).json();
    const user = status === 200 ? expect.objectContaining({ username: name }) : null;
    expect(session).toEqual({ authenticated: status === 200, user });
  }
  writer.close();
});
