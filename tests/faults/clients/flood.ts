/** Many messages at once from one person, without waiting for answers in between. */
import type { ServerFrame } from "../../../src/shared/protocol.ts";
import type { Client } from "../../../src/testing/client.ts";
import { openGateway, type Gateway } from "../../../src/testing/socket.ts";
import { brief, type Log } from "../log.ts";
import type { Texts } from "./texts.ts";

/** On the way at a time. */
const AHEAD = 100;

/** Ends early when `isEnough` says so. Resolves when all that was sent is acknowledged. */
export async function flood(
  by: { who: string; client: Client; log: Log; texts: Texts },
  room: string,
  {
    count,
    length = 0,
    isEnough = () => Promise.resolve(false),
  }: { count: number; length?: number; isEnough?: () => Promise<boolean> },
): Promise<void> {
  const { who, client, log, texts } = by;
  const socket = await comeIn(client);
  const line = log.nextLine();
  const answered = async () => {
    const frame = await socket.next(isAnswer);
    if (frame.type !== "ack") throw new Error(`the flood was refused: ${JSON.stringify(frame)}`);
    const { key, id, seq, rev, repeat } = frame;
    log.write({ type: "acked", who, key, place: { id, seq, rev }, repeat });
  };
  let waiting = 0;
  for (let sent = 0; sent < count && !(await isEnough()); sent++) {
    const [key, text] = [texts.key(), texts.next(who, length)];
    const change = { kind: "post", text: brief(text) } as const;
    log.write({ type: "sent", who, line, door: "socket", room, key, change });
    socket.send({ type: "send", room, key, text });
    if (++waiting < AHEAD) continue;
    await answered();
    waiting--;
  }
  while (waiting-- > 0) await answered();
  socket.close();
}

/** Between two attempts to connect, and for how long they go on. Milliseconds. */
const RETRY_DELAY = 300;
const ENTRY_PATIENCE = 30_000;

/** What has just been away may refuse a handshake: clients come back until they are let in. */
async function comeIn(client: Client): Promise<Gateway> {
  const deadline = performance.now() + ENTRY_PATIENCE;
  for (;;) {
    try {
      return await openGateway(client, []);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await Bun.sleep(RETRY_DELAY);
    }
  }
}

function isAnswer(frame: ServerFrame): boolean {
  return frame.type === "ack" || frame.type === "refusal";
}
