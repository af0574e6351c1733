/** What Redis carries: hints that each of some nodes hears, as bytes on bare connections. */
import { startRedis } from "../../src/testing/redis.ts";
import { cpuSeconds, moveToServerCore } from "../machine.ts";
import { figures, short, whole, type Section } from "../report.ts";
import { interleave } from "../rounds.ts";

const NODES = [1, 8, 32];

/** Hints at a time: by themselves, or as they gather in a Redis that is busy. */
const GATHERED = [1, 50];

/** As long as a hint with one message of middling length. Bytes. */
const HINT = "h".repeat(400);
const CHANNEL = "hints";

const ROUND_MS = 300;

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

const COPY = command("message", CHANNEL, HINT).length;

export async function measureHints(): Promise<Section> {
  const redis = await startRedis();
  moveToServerCore(redis.pid());
  const subjects = GATHERED.flatMap((atOnce) =>
    NODES.map((nodes) => ({
      name: `${nodes} ${nodes === 1 ? "node" : "nodes"}, ${atOnce} at a time`,
      round: () => measure(redis, nodes, atOnce),
    })),
  );
  const results = await interleave(subjects);
  await redis.stop();
  return figures(
    `Hints through one Redis: ${HINT.length} bytes, heard by each node`,
    { "hints/s": whole, "Redis' CPU, us a hint": short, "us a copy": short },
    results,
  );
}

type Redis = Pick<Awaited<ReturnType<typeof startRedis>>, "port" | "pid">;

async function measure(redis: Redis, nodes: number, atOnce: number) {
  let [heard, wanted] = [0, Infinity];
  let complete = Promise.withResolvers<void>();
  const hear = (bytes: number) => {
    heard += bytes;
    if (heard >= wanted) complete.resolve();
  };
  const hearers = await Promise.all(Array.from({ length: nodes }, () => subscribe(redis, hear)));
  const publisher = await connect(redis, () => {});
  const hints = Buffer.from(command("PUBLISH", CHANNEL, HINT).repeat(atOnce));

  const cpu = cpuSeconds(redis.pid());
  const startedAt = performance.now();
  let sent = 0;
  while (performance.now() - startedAt < ROUND_MS) {
    complete = Promise.withResolvers();
    sent += atOnce;
    wanted = sent * COPY * nodes;
    if (publisher.write(hints) !== hints.length) throw new Error("Redis takes no more");
    await complete.promise;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const used = (cpuSeconds(redis.pid()) - cpu) * 1e6;
  for (const socket of [publisher, ...hearers]) socket.end();
  if (heard !== wanted) throw new Error(`${heard} bytes of hints came instead of ${wanted}`);
  return {
    "hints/s": sent / seconds,
    "Redis' CPU, us a hint": used / sent,
    "us a copy": used / sent / nodes,
  };
}

const connect = ({ port }: Redis, onBytes: (chunk: Buffer) => void) =>
  Bun.connect({ hostname: "127.0.0.1", port, socket: { data: (_, chunk) => onBytes(chunk) } });

/** Tells how many bytes come after the answer to the subscription. */
async function subscribe(redis: Redis, hear: (bytes: number) => void) {
  const subscribed = Promise.withResolvers<void>();
  let isSubscribed = false;
  const socket = await connect(redis, (chunk) => {
    if (isSubscribed) return hear(chunk.length);
    isSubscribed = true;
    subscribed.resolve();
  });
  socket.write(command("SUBSCRIBE", CHANNEL));
  await subscribed.promise;
  return socket;
}
