import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { member, type Client } from "../../src/testing/client.ts";
import { openSlow, type SlowReader } from "../../src/testing/slow.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

// Megabytes are written first.
setDefaultTimeout(60_000);

const READERS = 20;
const MEBIBYTE = 1024 * 1024;

/** What twenty slow readers may cost besides a mebibyte each, with all the garbage of the storm itself. */
const MEMORY_MAX = 150 * MEBIBYTE;

/** In JSON each character of it takes six bytes. */
const HEAVY = "\u0001";

const dataDir = makeDataDir();
let server: Process;
let ann: Client;
let writer: Gateway;

beforeAll(async () => {
  server = await startProcess(dataDir);
  ann = await member(server, "ann");
  writer = await openGateway(ann);
});
afterAll(async () => {
  await server.stop();
  removeDataDir(dataDir);
});

/** Writes so many long messages; the number of the last. */
async function storm(count: number, letter = "x"): Promise<number> {
  let head = 0;
  for (let written = 0; written < count; written += 100) {
    const texts = Array.from({ length: 100 }, (_, i) => `${written + i} ${letter.repeat(900)}.`);
    const answers = await Promise.all(texts.map((text) => writer.post(text)));
    for (const answer of answers) head = Math.max(head, answer.type === "ack" ? answer.rev : Number.NaN);
    await writer.quiet(0);
  }
  return head;
}

/** Readers who have said what they hold of the public room. */
async function readers(rev: number): Promise<SlowReader[]> {
  const all: SlowReader[] = [];
  for (let i = 0; i < READERS; i++) {
    const reader = await openSlow(ann);
    reader.says({ type: "hello", rooms: [] });
    await reader.until(({ type }) => type === "welcome");
    reader.says({ type: "resume", room: "public", epoch: writer.epoch, rev });
    all.push(reader);
  }
  return all;
}

/** The number reached; fails unless each frame begins where the one before ended. */
function reached(frames: readonly ServerFrame[], from: number): number {
  return frames.reduce((held, frame) => {
    if (frame.type !== "changes") return held;
    expect(frame.from).toBe(held);
    return frame.to;
  }, from);
}

test("whoever stops reading gets everything up to a number, then the end, and costs little memory", async () => {
  const before = await storm(1_000);
  const all = await readers(before);
  for (const reader of all) {
    await reader.until(({ type }) => type === "caught-up");
    reader.stopsReading();
  }
  const memory = server.memory();
  let most = memory;
  let head = before;
  for (let i = 0; i < 10; i++) {
    head = await storm(1_000);
    most = Math.max(most, server.memory());
  }
  expect(most - memory).toBeLessThan(MEMORY_MAX);
  for (const reader of all) {
    reader.readsOn();
    await reader.closed;
    const held = reached(reader.frames, before);
    expect(held).toBeGreaterThan(before);
    expect(held).toBeLessThan(head);
  }
  const back = await openSlow(ann);
  const held = reached(all[0]?.frames ?? [], before);
  back.says({ type: "hello", rooms: [] });
  back.says({ type: "resume", room: "public", epoch: writer.epoch, rev: held });
  await back.until(({ type }) => type === "caught-up");
  expect(reached(back.frames, held)).toBe(head);
  back.leaves();
});

test("whoever slowly reads how much they have missed is not closed, misses nothing, and costs little memory", async () => {
  const from = await storm(100);
  const head = await storm(4_000, HEAVY);
  const memory = server.memory();
  let most = memory;
  const all = await readers(from);
  const over = Promise.all(all.map((reader) => reader.until(({ type }) => type === "caught-up")));
  const goesOn = (ms: number) => Promise.race([over.then(() => false), Bun.sleep(ms).then(() => true)]);
  // In sips.
  while (await goesOn(10)) {
    for (const reader of all) reader.readsOn();
    await Bun.sleep(2);
    for (const reader of all) reader.stopsReading();
    most = Math.max(most, server.memory());
  }
  expect(most - memory).toBeLessThan(MEMORY_MAX);
  for (const reader of all) {
    expect(reached(reader.frames, from)).toBe(head);
    reader.leaves();
  }
});
