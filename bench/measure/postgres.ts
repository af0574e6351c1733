/** What PostgreSQL carries: one busy room, many rooms at once, and how large a connection is. */
import { native, nativeIn } from "../clients/protocols.ts";
import { enterAt, exchange, leave, type Room } from "../clients/room.ts";
import { roomName, startCluster, type Cluster } from "../cluster.ts";
import { ownMegabytes, residentMegabytes, watch } from "../machine.ts";
import { figures, short, table, whole, type Section } from "../report.ts";
import { interleave } from "../rounds.ts";
import { commitEach, node, start, type Server } from "../servers.ts";
import { PEOPLE, READERS } from "./commits.ts";

/** By each of the senders: as many as people in a room of some hundreds who all write. */
const IN_FLIGHT = 64;

/** Written in at once, by one person each. */
const BUSY_ROOMS = 100;

const COLUMNS = {
  "acknowledgements/s": whole,
  "nodes' CPU, us each": short,
  "PostgreSQL's CPU, us each": short,
  "server core, %": whole,
};
type Cost = Record<keyof typeof COLUMNS, number>;

export async function measurePostgres(): Promise<Section[]> {
  const cluster = await startCluster();
  const [one, two] = [await cluster.install(), await cluster.install()];
  const each = await start(commitEach(node(await cluster.install())));
  const alone = await start(node(one));
  const pair = [await start(node(two)), await start(node(two))];

  const hotRoom = await measureOneRoom(cluster, each, alone, pair);
  const manyRooms = await measureManyRooms(cluster, alone, pair);
  const backends = cluster.backendsOf(one);
  const sizes = figures(
    `Memory after that: the node has ${backends.length} connections`,
    { MB: short },
    new Map([
      ["the node", [{ MB: residentMegabytes(alone.pid) }]],
      ["a connection, in PostgreSQL", backends.map((pid) => ({ MB: ownMegabytes(pid) }))],
    ]),
  );
  await Promise.all([each, alone, ...pair].map((server) => server.stop()));
  await cluster.stop();
  return [hotRoom, manyRooms, sizes];
}

async function measureOneRoom(
  cluster: Cluster,
  each: Server,
  alone: Server,
  pair: readonly Server[],
): Promise<Section> {
  const enter = (nodes: readonly Server[]) =>
    enterAt({ writing: nodes, reading: nodes }, native, cluster.cookies, READERS);
  const subjects: [string, Room][] = [
    ["a commit each", await enter([each])],
    ["a commit a turn", await enter([alone])],
    ["a commit a turn, two nodes", await enter(pair)],
  ];
  const results = await interleave(
    subjects.map(([name, room]) => ({ name, round: () => talk(cluster, [room], PEOPLE, IN_FLIGHT) })),
  );
  for (const [, room] of subjects) leave(room);
  const load = `${READERS} readers, ${PEOPLE} senders, ${IN_FLIGHT} in flight each`;
  return table(`Durable acknowledgements in one room on PostgreSQL: ${load}`, COLUMNS, results);
}

async function measureManyRooms(cluster: Cluster, alone: Server, pair: readonly Server[]): Promise<Section> {
  const { cookies } = cluster;
  let entered = 0;
  async function enter(nodes: readonly Server[]): Promise<Room[]> {
    const rooms: Room[] = [];
    for (const end = entered + BUSY_ROOMS; entered < end; entered++) {
      const number = entered;
      const at = [nodes[number % nodes.length] as Server];
      const cookie = cookies[number % cookies.length] ?? "";
      rooms.push(
        await enterAt({ writing: at, reading: at }, nativeIn(roomName(number), cookie), [cookie], 1),
      );
    }
    return rooms;
  }
  const [one, half, two] = [await enter([alone]), await enter(pair.slice(0, 1)), await enter(pair)];
  const results = await interleave([
    { name: "one node", round: () => talk(cluster, one, 1, 1) },
    { name: "one of two nodes", round: () => talk(cluster, half, 1, 1, pair) },
    { name: "two nodes", round: () => talk(cluster, two, 1, 1) },
  ]);
  for (const room of [...one, ...half, ...two]) leave(room);
  const load = "a sender and a reader in each, one message in flight";
  return table(`Durable acknowledgements in ${BUSY_ROOMS} rooms on PostgreSQL: ${load}`, COLUMNS, results);
}

/**
 * In all these rooms at once everyone sends, and goes on when a message is acknowledged. `others`: nodes that hear of it,
 * whose CPU counts as well.
 */
async function talk(
  cluster: Cluster,
  rooms: readonly Room[],
  people: number,
  inFlight: number,
  others: readonly Server[] = [],
): Promise<Cost> {
  const nodes = [...rooms.flatMap(({ servers }) => servers), ...others];
  const pids = new Set(nodes.map(({ pid }) => pid));
  const [stop, backing] = [watch(...pids), cluster.watch()];
  const exchanged = await Promise.all(
    rooms.map((room) => exchange(room, people, inFlight, people * inFlight)),
  );
  const [{ seconds, serverCpu, serverCore }, { postgresCpu }] = [stop(), backing()];
  const count = exchanged.reduce((sum, { messages }) => sum + messages, 0);
  return {
    "acknowledgements/s": count / seconds,
    "nodes' CPU, us each": (serverCpu * 1e6) / count,
    "PostgreSQL's CPU, us each": (postgresCpu * 1e6) / count,
    "server core, %": serverCore * 100,
  };
}
