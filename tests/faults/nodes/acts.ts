/** What faults look at while something is away. */
import { newKey, openGateway } from "../../../src/testing/socket.ts";
import { timed } from "../../../src/testing/stopwatch.ts";
import { attempt, OPEN_FORM, openSocketDoor, REST, type HttpDoor } from "../clients/doors.ts";
import type { Load } from "../load.ts";
import { brief } from "../log.ts";
import { OWNER, PEOPLE, ROOMS } from "../template.ts";
import type { Node } from "./node.ts";
import type { Nodes } from "./scene.ts";

export type NodesLoad = Load<Nodes>;

/** A page or a login takes no longer, whatever is away that it does not need. Milliseconds. */
const ANSWER_PATIENCE = 4_000;

/** People log in and open pages at each of these nodes. */
export async function serves({ scene, claim }: NodesLoad, nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) {
    const login = await asked(() => scene.client("guest", node).login(OWNER));
    claim(login.status === 200 && login.took < ANSWER_PATIENCE, `people log in at ${said(node, login)}`);
    const page = await asked(() => scene.client(OWNER, node).get("/", { accept: "text/html" }));
    claim(page.status === 200 && page.took < ANSWER_PATIENCE, `people open a page at ${said(node, page)}`);
  }
}

interface Timed {
  status: number | string;
  took: number;
}

async function asked(ask: () => Promise<{ status: number }>): Promise<Timed> {
  const { result: status, took } = await timed(() =>
    ask().then(
      (answer) => answer.status,
      (error: unknown) => String(error),
    ),
  );
  return { status, took: Math.round(took) };
}

function said({ name }: Node, { status, took }: Timed): string {
  return `${name} (${status} after ${took} ms)`;
}

/** Somebody writes at this node; how long the acknowledgement took, or null when there was none. Milliseconds. */
export async function write(load: NodesLoad, node: Node, room: string): Promise<number | null> {
  const { result: isStored, took } = await timed(() => isWritten(load, node, room));
  return isStored ? Math.round(took) : null;
}

async function isWritten({ scene, texts }: NodesLoad, node: Node, room: string): Promise<boolean> {
  const { log } = scene;
  const who = PEOPLE.flooder;
  const [key, text] = [newKey(), texts.next(who)];
  const socket = await openGateway(scene.client(who, node), []).catch(() => null);
  if (!socket) return false;
  const change = { kind: "post", text: brief(text) } as const;
  log.write({ type: "sent", who, line: log.nextLine(), door: "socket", room, key, change });
  const frame = await socket.post(text, key, room).catch(() => null);
  socket.close();
  if (frame?.type === "refusal") {
    const { code, retryable } = frame;
    log.write({ type: "refused", who, key, code, retryable });
  }
  if (frame?.type !== "ack") return false;
  const { id, seq, rev, repeat } = frame;
  log.write({ type: "acked", who, key, place: { id, seq, rev }, repeat });
  return true;
}

/** Whoever writes at these nodes has their answer in this time. */
export async function writes(load: NodesLoad, nodes: readonly Node[], within: number): Promise<void> {
  for (const node of nodes)
    for (const room of [ROOMS.public, ROOMS.den]) {
      const took = await write(load, node, room);
      const sentence = `a message for ${room} is stored by ${node.name} in ${within} ms (${took})`;
      load.claim(took !== null && took <= within, sentence);
    }
}

/** The doors by which somebody who may write at this node now may try it later. */
export async function openDoors({ scene }: NodesLoad, who: string, node: Node): Promise<HttpDoor[]> {
  return [REST, OPEN_FORM, await openSocketDoor(scene.client(who, node))];
}

/** What somebody writes at this node, who may not any more, is refused from this moment on, by all of these doors at once. */
export async function isRefused(
  { scene, texts, claim }: NodesLoad,
  who: string,
  node: Node,
  doors: readonly HttpDoor[] = [REST],
): Promise<void> {
  const { log } = scene;
  const tries = doors.map(async (door) => {
    const key = newKey();
    await attempt({ who, door, client: scene.client(who, node), log }, ROOMS.den, key, texts.next(who));
    const refused = log.entries.some((entry) => entry.type === "refused" && entry.key === key);
    claim(refused, `${who} may not write any more at ${node.name} by ${door.door}`);
  });
  await Promise.all(tries);
}
