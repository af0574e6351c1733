import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { ServerFrame } from "../shared/protocol.ts";
import { serveHub, type HubServer, type HubSocket } from "../testing/hub.ts";
import { createAnswers } from "./answers.ts";
import { createHub } from "./hub.ts";

let server: HubServer;
let ann: HubSocket;
let bob: HubSocket;

beforeAll(async () => {
  server = serveHub(createHub(createMemoryBus()));
  [ann, bob] = [await server.opens(), await server.opens()];
});
afterAll(() => server.stop());

const ack = (seq: number): ServerFrame => {
  return { type: "ack", room: "public", key: `key-${seq}`, id: seq, seq, rev: seq, repeat: false };
};
const numbers = (frames: ServerFrame[]) => frames.map((frame) => frame.type === "ack" && frame.seq);

test("the answers of one turn come to each in their order, as one write a socket", async () => {
  const answers = createAnswers();
  const writes = [spyOn(ann.socket, "cork"), spyOn(bob.socket, "cork")];
  // As a commit settles them: one microtask after the other.
  for (let seq = 1; seq <= 6; seq++)
    void Promise.resolve().then(() => answers.add((seq % 2 === 0 ? bob : ann).socket, ack(seq)));
  expect(numbers(await ann.heard())).toEqual([1, 3, 5]);
  expect(numbers(await bob.heard())).toEqual([2, 4, 6]);
  for (const write of writes) {
    expect(write).toHaveBeenCalledTimes(1);
    write.mockRestore();
  }
});

test("answers of a later turn do not wait for anything", async () => {
  const answers = createAnswers();
  answers.add(ann.socket, ack(1));
  expect(numbers(await ann.heard())).toEqual([1]);
  answers.add(ann.socket, ack(2));
  expect(numbers(await ann.heard())).toEqual([2]);
});

test("whoever has gone is answered in vain, and nobody else is hurt", async () => {
  const answers = createAnswers();
  const gone = await server.opens();
  await gone.leaves();
  answers.add(gone.socket, ack(1));
  answers.add(ann.socket, ack(2));
  expect(numbers(await ann.heard())).toEqual([2]);
});
