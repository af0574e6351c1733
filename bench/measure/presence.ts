/** What it takes to tell everybody who is here, on two nodes that share the people. */
import { frameAt, pongFrame, PING, textFrame } from "../clients/frames.ts";
import type { HeldSocket } from "../clients/holder.ts";
import { openSocket } from "../clients/socket.ts";
import type { Cluster } from "../cluster.ts";
import { cpuSeconds } from "../machine.ts";
import { figures, short, type Section } from "../report.ts";
import { hold, node, start, type Server } from "../servers.ts";

/** People who are here, each with a page open. */
const CROWDS = [100, 300, 1_000];

/** Those who come then, one by one, slowly enough that each is told by itself. */
const COMERS = 10;
const EVERY_MS = 200;

const REST_MS = 1_000;
const PATIENCE_MS = 10_000;

const HELLO = [JSON.stringify({ type: "hello", rooms: [] }), JSON.stringify({ type: "presence" })];
const PAGE: HeldSocket = { path: "/ws/", hello: HELLO, greeting: '"presence"' };

const COLUMNS = { "node they come to": short, "the other node": short, Redis: short };
type Cost = Record<keyof typeof COLUMNS, number>;

export async function measurePresence(cluster: Cluster): Promise<Section> {
  const installation = await cluster.install();
  const [near, far] = [await start(node(installation)), await start(node(installation))];
  const strangers = [...cluster.crowd];
  const visit = (server: Server) => openVisit(server, strangers.pop() ?? "");
  const visits = [await visit(far)];
  const ends: (() => void)[] = [];
  const used = () => [near.pid, far.pid, installation.redis.pid()].map(cpuSeconds);

  const rows: [string, [Cost]][] = [];
  for (const crowd of CROWDS) {
    const share = (crowd - (CROWDS[rows.length - 1] ?? 0)) / 2;
    for (const server of [near, far]) {
      const holder = await hold({ server, sockets: [PAGE], cookies: strangers.splice(0, share) });
      ends.push(holder.end);
    }
    await Bun.sleep(REST_MS);
    const before = used();
    for (let comer = 0; comer < COMERS; comer++) {
      visits.push(await visit(near));
      await Bun.sleep(EVERY_MS);
    }
    await visits[0]?.told(crowd + visits.length);
    const [atNear = 0, atFar = 0, inRedis = 0] = used().map(
      (cpu, at) => ((cpu - (before[at] ?? 0)) * 1000) / COMERS,
    );
    const cost = { "node they come to": atNear, "the other node": atFar, Redis: inRedis };
    rows.push([`${crowd.toLocaleString("en")} people`, [cost]]);
  }
  for (const end of [...ends, ...visits.map(({ close }) => close)]) end();
  await Promise.all([near.stop(), far.stop()]);
  return figures(
    "Presence: ms of CPU when one more comes, half of the others on each of two nodes",
    COLUMNS,
    new Map(rows),
  );
}

interface Visit {
  /** Resolves when this page shows so many people. */
  told(count: number): Promise<void>;
  close(): void;
}

async function openVisit(server: Server, cookie: string): Promise<Visit> {
  let shown = 0;
  let received: Buffer = Buffer.alloc(0);
  const socket = await openSocket(server, PAGE.path, cookie, (chunk, { write }) => {
    received = Buffer.concat([received, chunk]);
    let done = 0;
    for (let frame = frameAt(received, 0); frame; frame = frameAt(received, done)) {
      if (frame.opcode === PING) write(pongFrame(received.subarray(frame.start, frame.end)));
      else shown = peopleIn(received.toString("utf8", frame.start, frame.end)) ?? shown;
      done = frame.end;
    }
    received = received.subarray(done);
  });
  for (const frame of HELLO) socket.write(textFrame(frame));
  return {
    async told(count) {
      const deadline = performance.now() + PATIENCE_MS;
      const over = () => shown >= count || performance.now() > deadline;
      while (!over()) await Bun.sleep(1);
      if (shown !== count) throw new Error(`${shown} people are listed instead of ${count}`);
    },
    close: socket.close,
  };
}

function peopleIn(text: string): number | null {
  const frame = JSON.parse(text) as { type: string; online?: unknown[] | null };
  return frame.type === "presence" ? (frame.online?.length ?? 0) : null;
}
