import type { Client } from "../../../src/testing/client.ts";
import { newKey, openGateway } from "../../../src/testing/socket.ts";
import { attempt } from "../clients/doors.ts";
import type { Load } from "../load.ts";
import type { Fault } from "../round.ts";
import type { Scene } from "../scene.ts";
import { PEOPLE, ROOMS } from "../template.ts";

/** In all, by every way in. */
const TIMES = 50;
const SOCKETS = 5;

/** One message with one key, many times at once, by socket, REST and form. */
export const duplicates: Fault = {
  name: "duplicate submit",
  missing: () => null,
  during: (load) => submitAgain(load, [load.scene.client(PEOPLE.repeater)]),
};

/** The same browser at each of these addresses. */
export async function submitAgain(
  { scene, texts, claim }: Load<Scene>,
  clients: readonly [Client, ...Client[]],
): Promise<void> {
  const { log, template } = scene;
  const who = PEOPLE.repeater;
  const [room, key, text] = [ROOMS.public, newKey(), texts.next(who)];
  const clientOf = (i: number) => clients[i % clients.length] as Client;
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, (_, i) => openGateway(clientOf(i), [])));
  const ways = sockets.length + template.doors.length;

  const bySocket = async (socket: (typeof sockets)[number]) => {
    log.write({
      type: "sent",
      who,
      line: log.nextLine(),
      door: "socket",
      room,
      key,
      change: { kind: "post", text },
    });
    const frame = await socket.post(text, key, room);
    if (frame.type === "refusal") {
      const { code, retryable } = frame;
      return log.write({ type: "refused", who, key, code, retryable });
    }
    const { id, seq, rev, repeat } = frame;
    log.write({ type: "acked", who, key, place: { id, seq, rev }, repeat });
  };
  const all = Array.from({ length: TIMES }, async (_, i) => {
    const socket = sockets[i % ways];
    const door = template.doors[(i % ways) - sockets.length];
    if (socket) await bySocket(socket);
    else if (door) await attempt({ who, door, client: clientOf(Math.floor(i / ways)), log }, room, key, text);
  });
  await Promise.all(all);
  for (const socket of sockets) socket.close();

  const answers = log.entries.filter((entry) => entry.type === "acked" && entry.key === key);
  claim(answers.length === TIMES, `all ${TIMES} are acknowledged, not ${answers.length}`);
}
