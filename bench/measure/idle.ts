/** What sockets take on which nothing happens. */
import type { HeldSocket } from "../clients/holder.ts";
import { native } from "../clients/protocols.ts";
import { copyOf, signIn, type Data } from "../data.ts";
import { cpuSeconds, residentMegabytes } from "../machine.ts";
import { short, table, type Section } from "../report.ts";
import { baseline, echochat, hold, start, type Program, type Server } from "../servers.ts";

const SOCKETS = 10_000;
const IDLE_MS = 30_000;

/** After a start, and after many have come, until the memory is what it will be. */
const REST_MS = 2_000;

const PING = JSON.stringify({ type: "ping" });

/** As the original client does it. */
const ORIGINAL: HeldSocket[] = [
  { path: "/ws/chat/public/" },
  {
    path: "/ws/presence/?auth=1",
    hello: [PING],
    greeting: '"online"',
    beat: { frame: PING, every: 10_000 },
  },
];

interface Subject {
  name: string;
  program: Program;
  sockets(server: Server): Promise<readonly HeldSocket[]>;
}

export async function measureIdle({ small }: Data): Promise<Section> {
  const cookies = await signIn(small, SOCKETS);
  const follows = async (server: Server) => [
    { path: "/ws/", hello: await native.join(server), greeting: '"caught-up"' },
  ];
  const bare = async () => [{ path: "/read" }];
  const subjects: Subject[] = [
    { name: "bare", program: baseline("sockets"), sockets: bare },
    { name: "Elysia alone", program: baseline("elysia-sockets"), sockets: bare },
    { name: "ours, one room", program: echochat(copyOf(small)), sockets: follows },
    { name: "the original client's two", program: echochat(copyOf(small)), sockets: async () => ORIGINAL },
  ];
  // All rest at the same time: what one of them does, the others hardly notice.
  const held = await Promise.all(subjects.map((subject) => fill(subject, cookies)));
  await Bun.sleep(REST_MS);
  const before = held.map(({ server }) => cpuSeconds(server.pid));
  await Bun.sleep(IDLE_MS);
  const rows = held.map(({ server, empty, isWhole }, at) => {
    if (!isWhole()) throw new Error(`${subjects[at]?.name}: a socket was closed`);
    const busy = (cpuSeconds(server.pid) - (before[at] ?? 0)) / (IDLE_MS / 1000);
    const kilobytes = ((residentMegabytes(server.pid) - empty) * 1024) / SOCKETS;
    const row = { "KB a socket": kilobytes, "empty server, MB": empty, "% of a core": busy * 100 };
    return [subjects[at]?.name ?? "", [row]] as const;
  });
  for (const { end } of held) end();
  await Promise.all(held.map(({ server }) => server.stop()));
  return table(
    `Idle: ${SOCKETS.toLocaleString("en")} sockets for ${IDLE_MS / 1000} s; who has two of them counts twice`,
    { "KB a socket": short, "empty server, MB": short, "% of a core": short },
    new Map(rows),
  );
}

async function fill({ program, sockets }: Subject, cookies: readonly string[]) {
  const server = await start(program);
  await Bun.sleep(REST_MS);
  const empty = residentMegabytes(server.pid);
  const kinds = await sockets(server);
  const people = cookies.slice(0, SOCKETS / kinds.length);
  return { server, empty, ...(await hold({ server, sockets: kinds, cookies: people })) };
}
