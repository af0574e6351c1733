/** What it costs a node to look after the heads of many rooms in which nothing happens. */
import type { HeldSocket } from "../clients/holder.ts";
import { nativeIn } from "../clients/protocols.ts";
import { ROOMS, roomName, type Cluster } from "../cluster.ts";
import { cpuSeconds } from "../machine.ts";
import { figures, short, type Section } from "../report.ts";
import { hold, node, start, type Holder, type Installation, type Server } from "../servers.ts";

const IDLE_MS = 20_000;
const REST_MS = 3_000;

/** Processes that hold the sockets. */
const HOLDERS = 4;

/** Sockets that follow one room, and as many that follow one each: the difference is what rooms cost. */
const SUBJECTS = [
  { name: "one room", roomOf: () => "public", isAway: false },
  { name: "a room each", roomOf: roomName, isAway: false },
  { name: "a room each, Redis away", roomOf: roomName, isAway: true },
];

export async function measurePolling(cluster: Cluster): Promise<Section> {
  const followed: { installation: Installation; server: Server; holders: Holder[] }[] = [];
  for (const { roomOf, isAway } of SUBJECTS) {
    const installation = await cluster.install();
    const server = await start(node(installation));
    const holders = await follow(server, cluster.cookies[0] ?? "", roomOf);
    if (isAway) await installation.redis.kill();
    followed.push({ installation, server, holders });
  }
  const used = () =>
    followed.map(({ installation, server }) => ({
      node: cpuSeconds(server.pid),
      postgres: cluster.backendsOf(installation).reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    }));

  // All rest at the same time: what one of them does, the others hardly notice.
  await Bun.sleep(REST_MS);
  const before = used();
  await Bun.sleep(IDLE_MS);
  const rows = used().map((after, at) => {
    const name = SUBJECTS[at]?.name ?? "";
    if (!followed[at]?.holders.every(({ isWhole }) => isWhole()))
      throw new Error(`${name}: a socket was closed`);
    const share = (kind: "node" | "postgres") =>
      ((after[kind] - (before[at]?.[kind] ?? 0)) * 100_000) / IDLE_MS;
    const row = { "node, % of a core": share("node"), "PostgreSQL, % of a core": share("postgres") };
    return [name, [row]] as const;
  });
  for (const { holders } of followed) for (const { end } of holders) end();
  await Promise.all(followed.map(({ server }) => server.stop()));
  return figures(
    `${ROOMS.toLocaleString("en")} sockets that follow one room, or a room each, for ${IDLE_MS / 1000} s`,
    { "node, % of a core": short, "PostgreSQL, % of a core": short },
    new Map(rows),
  );
}

/** Resolves when all sockets follow their rooms. */
async function follow(server: Server, cookie: string, roomOf: (number: number) => string): Promise<Holder[]> {
  const sockets: HeldSocket[] = [];
  for (let number = 0; number < ROOMS; number++) {
    const hello = await nativeIn(roomOf(number), cookie).join(server);
    sockets.push({ path: "/ws/", hello, greeting: '"caught-up"' });
  }
  const share = ROOMS / HOLDERS;
  const parts = Array.from({ length: HOLDERS }, (_, at) => sockets.slice(at * share, (at + 1) * share));
  return Promise.all(parts.map((part) => hold({ server, sockets: part, cookies: [cookie] })));
}
