/** What a second node costs: time until a message is on it, and CPU for what both do. */
import { paced, type Paced } from "../clients/pace.ts";
import { native } from "../clients/protocols.ts";
import { enterAt, exchange, leave, newMessage, type Room } from "../clients/room.ts";
import { startCluster, type Backing, type Cluster } from "../cluster.ts";
import { short, table, whole, type Section } from "../report.ts";
import { interleave, spread, type Results } from "../rounds.ts";
import { node, start, type Server } from "../servers.ts";
import { latency } from "./latency.ts";
import { measureHints } from "./hints.ts";
import { measurePolling } from "./polling.ts";
import { measurePresence } from "./presence.ts";

/** How far away a reader on the other node is. */
const NEAR = { readers: 100, perSecond: 200, milliseconds: 1_500 };

/** Readers of one room that one node serves, or two. */
const SHARED_READERS = 1_000;
const LOADS = [
  { people: 2, inFlight: 1 },
  { people: 8, inFlight: 4 },
];

export async function measureNodes(): Promise<Section[]> {
  const cluster = await startCluster();
  const alone = await start(node(await cluster.install()));
  const common = await cluster.install();
  const [a, b] = [await start(node(common)), await start(node(common))];

  const sections = [await measureDistance(cluster, alone, a, b)];
  for (const load of LOADS) sections.push(await measureSharing(cluster, alone, [a, b], load));
  await Promise.all([alone, a, b].map((server) => server.stop()));
  sections.push(await measurePolling(cluster), await measurePresence(cluster));
  await cluster.stop();
  return [...sections, await measureHints()];
}

async function measureDistance({ cookies }: Cluster, alone: Server, a: Server, b: Server): Promise<Section> {
  const { readers, ...pace } = NEAR;
  const enter = (writing: Server, reading: Server) =>
    enterAt({ writing: [writing], reading: [reading] }, native, cookies, readers);
  const rooms: [string, Room][] = [
    ["one node", await enter(alone, alone)],
    ["the other node", await enter(a, b)],
  ];
  const round = (room: Room) => paced(room, { next: newMessage, ...pace });
  const results = await interleave(rooms.map(([name, room]) => ({ name, round: () => round(room) })));
  for (const [, room] of rooms) leave(room);
  const title = `Latency from node to node: ${readers} readers, ${pace.perSecond} messages/s, evenly spaced`;
  const section = latency(title, results);
  return {
    ...section,
    notes: [`at the other node ${added(results, "one node", "the other node")}`, ...section.notes],
  };
}

function added(results: Results<Paced>, base: string, other: string): string {
  const by = (measure: (round: Paced) => number) => {
    const before = results.get(base) ?? [];
    const differences = (results.get(other) ?? []).map(
      (round, at) => measure(round) - measure(before[at] as Paced),
    );
    const { median, min, max } = spread(differences);
    return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}) ms`;
  };
  return `p50 is later by ${by(({ p50 }) => p50)}, p99 by ${by(({ p99 }) => p99)}`;
}

async function measureSharing(
  cluster: Cluster,
  alone: Server,
  both: readonly Server[],
  { people, inFlight }: (typeof LOADS)[number],
): Promise<Section> {
  const enter = (nodes: readonly Server[]) =>
    enterAt({ writing: nodes, reading: nodes }, native, cluster.cookies, SHARED_READERS);
  const [one, two] = [await enter([alone]), await enter(both)];
  const round = async (room: Room) => {
    const backing = cluster.watch();
    const { messages, seconds, serverCpu, serverCore } = await exchange(room, people, inFlight);
    const deliveries = messages * SHARED_READERS;
    return {
      "deliveries/s": deliveries / seconds,
      "nodes' CPU, us/delivery": (serverCpu * 1e6) / deliveries,
      "PostgreSQL and Redis, us/delivery": (sumOf(backing()) * 1e6) / deliveries,
      "server core, %": serverCore * 100,
    };
  };
  const results = await interleave([
    { name: "one node", round: () => round(one) },
    { name: "two nodes", round: () => round(two) },
  ]);
  for (const room of [one, two]) leave(room);
  return table(
    `${SHARED_READERS.toLocaleString("en")} readers of one node, or of two that share them; ${people} senders, ${inFlight} in flight each`,
    {
      "deliveries/s": whole,
      "nodes' CPU, us/delivery": short,
      "PostgreSQL and Redis, us/delivery": short,
      "server core, %": whole,
    },
    results,
  );
}

const sumOf = ({ postgresCpu, redisCpu }: Backing) => postgresCpu + redisCpu;
