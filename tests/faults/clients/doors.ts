/** The ways to post one message by itself. */
import { CLOSE_SESSION_OVER, type RefusalCode } from "../../../src/shared/protocol.ts";
import type { Answer, Client } from "../../../src/testing/client.ts";
import { openGateway } from "../../../src/testing/socket.ts";
import { brief, type Door, type Log, type Place } from "../log.ts";
import type { Texts } from "./texts.ts";

/** Null: the server failed, or was not there; the same again may succeed. */
type Outcome = { place: Place | null; repeat: boolean | null } | { refused: RefusalCode } | null;

export interface HttpDoor {
  door: Door;
  post(client: Client, room: string, key: string, text: string): Promise<Outcome>;
}

/** As a page without scripts sends it. */
export const FORM: HttpDoor = {
  door: "form",
  async post(client, room, key, text) {
    const action = `/rooms/${room}/messages`;
    const form = await client.openForm(room === "public" ? "/" : `/rooms/${room}`, { action });
    return formOutcome(await client.sendForm(form, { text, key }));
  },
};

/** The same by a page that is open already. */
export const OPEN_FORM: HttpDoor = {
  door: "form",
  async post(client, room, key, text) {
    return formOutcome(await client.post(`/rooms/${room}/messages`, { text, key }, { as: "form" }));
  },
};

export const REST: HttpDoor = {
  door: "rest",
  async post(client, room, key, text) {
    const answer = await client.post(messagesOf(room), { content: text, key });
    if (answer.status !== 200 && answer.status !== 201) return refusalOf(answer.status);
    const { id, seq, rev = seq } = answer.json() as { id: number; seq: number; rev?: number };
    return { place: { id, seq, rev }, repeat: answer.status === 200 };
  },
};

/** All that this server has. */
export async function doorsOf(client: Client): Promise<HttpDoor[]> {
  const { status } = await client.post(messagesOf("public"), {});
  return status === 404 || status === 405 ? [FORM] : [REST, FORM];
}

/** By a socket of its own, which is open already. */
export async function openSocketDoor(client: Client): Promise<HttpDoor> {
  const socket = await openGateway(client, []);
  return {
    door: "socket",
    async post(_, room, key, text) {
      const frame = await socket.post(text, key, room).catch(() => null);
      // What has no answer then is given back to its writer, as pages do.
      if (!frame) return (await socket.closed).code === CLOSE_SESSION_OVER ? refusalOf(401) : null;
      socket.close();
      if (frame.type === "refusal") return { refused: frame.code };
      const { id, seq, rev, repeat } = frame;
      return { place: { id, seq, rev }, repeat };
    },
  };
}

function formOutcome({ status, headers }: Answer): Outcome {
  // To the login, when the session is over.
  const location = headers.get("location") ?? "";
  if (status === 303 && !location.startsWith("/login")) return { place: null, repeat: null };
  return refusalOf(status === 303 ? 401 : status);
}

function messagesOf(room: string): string {
  return `/api/chat/rooms/${room}/messages/`;
}

function refusalOf(status: Answer["status"]): Outcome {
  switch (status) {
    case 401:
      return { refused: "login_required" };
    case 403:
      return { refused: "forbidden" };
    case 404:
      return { refused: "not_found" };
    case 409:
      return { refused: "key_reused" };
    default:
      if (status >= 500 || status === 429) return null;
      throw new Error(`a message was answered with ${status}`);
  }
}

/** Somebody who posts by such a door, one message after the other, each until it is settled. */
export interface Poster {
  who: string;
  /** Does nothing while a message is on its way. */
  act(): void;
  waiting(): string[];
  stop(): void;
}

/** Milliseconds. */
const ANSWER_PATIENCE = 5_000;
const RETRY_DELAY = 300;

export function createPoster(deps: {
  who: string;
  door: HttpDoor;
  client: Client;
  rooms: readonly string[];
  log: Log;
  random: () => number;
  texts: Texts;
}): Poster {
  const { who, door, client, rooms, log, random, texts } = deps;
  let onTheWay: string | null = null;
  let isStopped = false;

  async function post(room: string, key: string, text: string): Promise<void> {
    onTheWay = key;
    const isSettled = await attempt({ who, door, client, log }, room, key, text);
    if (isSettled || isStopped) onTheWay = null;
    else setTimeout(() => void post(room, key, text), RETRY_DELAY);
  }

  return {
    who,
    act() {
      const room = rooms[Math.floor(random() * rooms.length)];
      if (onTheWay === null && room !== undefined) void post(room, texts.key(), texts.next(who));
    },
    waiting: () => (onTheWay === null ? [] : [onTheWay]),
    stop: () => void (isStopped = true),
  };
}

/** Posts once; false when nobody knows what became of it. */
export async function attempt(
  by: { who: string; door: HttpDoor; client: Client; log: Log },
  room: string,
  key: string,
  text: string,
): Promise<boolean> {
  const { who, door, client, log } = by;
  const change = { kind: "post", text: brief(text) } as const;
  log.write({ type: "sent", who, line: 0, door: door.door, room, key, change });
  const outcome = await inTime(door.post(client, room, key, text));
  if (!outcome) return false;
  if ("refused" in outcome) log.write({ type: "refused", who, key, code: outcome.refused, retryable: false });
  else log.write({ type: "acked", who, key, ...outcome });
  return true;
}

/** Null when there is no answer, or none in time. */
function inTime(posting: Promise<Outcome>): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => resolve(null), ANSWER_PATIENCE);
  // Connections break here by design; any other fault of a door shows as a message that is never settled.
  posting.then(resolve, () => resolve(null)).finally(() => clearTimeout(timer));
  return promise;
}
