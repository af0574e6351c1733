import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { member, type Client } from "../../src/testing/client.ts";
import { newKey, openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

// Processes take their time to start where many tests run at once.
setDefaultTimeout(30_000);

const FAILING_DISK = join(import.meta.dir, "..", "..", "src", "testing", "failing-disk.ts");

const dataDir = makeDataDir();
const processes: Process[] = [];
afterAll(async () => {
  for (const started of processes) await started.stop();
  removeDataDir(dataDir);
});

async function start(env = {}): Promise<Process> {
  const started = await startProcess(dataDir, env);
  processes.push(started);
  return started;
}

/** From now on each fsync of the server fails. */
async function failDisk(server: Process): Promise<void> {
  process.kill(server.pid, "SIGUSR2");
  while (!server.output().includes("the disk fails")) await Bun.sleep(5);
}

async function textsIn(client: Client): Promise<string[]> {
  const answer = await client.get("/api/chat/rooms/public/messages/?limit=200");
  return (answer.json() as { messages: { content: string }[] }).messages.map(({ content }) => content);
}

test("when the disk fails nothing is acknowledged any more, and a new start has all that was", async () => {
  const server = await start({ BUN_OPTIONS: `--preload=${FAILING_DISK}` });
  const [ann, bob] = [await member(server, "ann"), await member(server, "bob")];
  const [page, reader] = [await openGateway(ann), await openGateway(bob)];
  const acknowledged: string[] = [];
  for (let i = 0; i < 30; i++) {
    const answer = await page.post(`kept ${i}`);
    if (answer.type === "ack") acknowledged.push(`kept ${i}`);
  }
  expect(acknowledged).toHaveLength(30);
  await reader.quiet(0);

  await failDisk(server);
  const keys = Array.from({ length: 10 }, newKey);
  for (const key of keys) page.send({ type: "send", room: "public", key, text: key });
  expect(await server.exited).toBe(1);
  expect(server.output()).toContain('"the disk has failed"');
  for (const socket of [page, reader]) {
    await socket.closed;
    const told = (await socket.quiet(0)).filter(({ type }) => type !== "presence");
    expect(JSON.stringify(told.filter((frame) => frame.type === "ack"))).toBe("[]");
    for (const key of keys) expect(JSON.stringify(told)).not.toContain(key);
  }

  const again = await start();
  const back = await openGateway(ann.moveTo(again));
  const stored = await textsIn(ann.moveTo(again));
  expect(stored.slice(0, 30)).toEqual(acknowledged);
  for (const key of keys) expect(await back.post(key, key)).toMatchObject({ type: "ack" });
  expect((await textsIn(ann.moveTo(again))).toSorted()).toEqual([...acknowledged, ...keys].toSorted());
});

test("whatever it was that the disk did not take, the program ends: a login, or the watcher's probe", async () => {
  const doors = [
    async (client: Client) => client.login("ann"),
    async (client: Client) => client.get("/api/health/ready/"),
  ];
  for (const knock of doors) {
    const server = await start({ BUN_OPTIONS: `--preload=${FAILING_DISK}` });
    const client = await member(server, `person${processes.length}`);
    expect((await client.get("/api/health/live/")).status).toBe(200);
    await failDisk(server);
    await knock(client).catch(() => {});
    expect(await server.exited).toBe(1);
  }
});
