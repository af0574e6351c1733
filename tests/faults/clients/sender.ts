/** What one person has on the way, one at a time, until each is acknowledged or refused. */
import type { ClientFrame, RefusalCode, ServerFrame } from "../../../src/shared/protocol.ts";
import type { ClientKey } from "../../../src/shared/ids.ts";
import { next, refuse, settle, type Outbox } from "../../../src/shared/outbox.ts";
import { brief, type Change, type Log } from "../log.ts";
import type { Line } from "./line.ts";

export interface Sender {
  add(room: string, change: Change): void;
  /** The keys that have no answer yet. */
  waiting(): string[];
  /** Sends what is next, if nothing is in flight: again, when the socket is another. */
  send(line: number): void;
  receive(line: number, frame: ServerFrame): void;
  tick(line: number): void;
}

/** A send without an answer is tried again on another socket after this. Milliseconds. */
const ANSWER_PATIENCE = 5_000;

/** Between a refusal that may pass and the next attempt. Milliseconds. */
const RETRY_DELAY = 300;

export function createSender(deps: {
  who: string;
  newKey: () => string;
  log: Log;
  line: () => Line;
  now: () => number;
}): Sender {
  const { who, newKey, log, line: transport, now } = deps;
  let outbox: Outbox = [];
  const changes = new Map<string, { room: string; change: Change }>();
  let inFlight: { key: string; line: number; at: number } | null = null;
  let restUntil = 0;

  function send(line: number): void {
    const outgoing = next(outbox);
    if (!outgoing || inFlight?.line === line || now() < restUntil) return;
    const { key } = outgoing;
    const { room, change } = changes.get(key) as { room: string; change: Change };
    inFlight = { key, line, at: now() };
    const logged = change.kind === "remove" ? change : { ...change, text: brief(change.text) };
    log.write({ type: "sent", who, line, door: "socket", room, key, change: logged });
    transport().send(frameOf(room, key, change));
  }

  function refused(line: number, key: string, code: RefusalCode, retryable: boolean, retryAfter = 0): void {
    log.write({ type: "refused", who, key, code, retryable });
    if (inFlight?.key === key) inFlight = null;
    if (retryable) restUntil = now() + Math.max(RETRY_DELAY, retryAfter * 1000);
    else outbox = refuse(outbox, key, code);
    send(line);
  }

  return {
    send,

    add(room, change) {
      const key = newKey() as ClientKey;
      changes.set(key, { room, change });
      const text = change.kind === "remove" ? "" : change.text;
      outbox = [...outbox, { key, text, createdAt: now(), refusal: null }];
    },

    waiting: () => outbox.filter(({ refusal }) => refusal === null).map(({ key }) => key),

    receive(line, frame) {
      if (frame.type === "ack") {
        const { key, id, seq, rev, repeat } = frame;
        log.write({ type: "acked", who, key, place: { id, seq, rev }, repeat });
        outbox = settle(outbox, new Set([key]));
        if (inFlight?.key === key) inFlight = null;
        send(line);
      } else if (frame.type === "refusal" && frame.key !== null)
        refused(line, frame.key, frame.code, frame.retryable, frame.retryAfter);
    },

    tick(line) {
      if (inFlight?.line === line && now() - inFlight.at > ANSWER_PATIENCE) transport().renew();
      else send(line);
    },
  };
}

function frameOf(room: string, key: string, change: Change): ClientFrame {
  const named = { room, key: key as ClientKey };
  switch (change.kind) {
    case "post":
      return { type: "send", ...named, text: change.text };
    case "edit":
      return { type: "edit", ...named, id: change.id, text: change.text };
    case "remove":
      return { type: "remove", ...named, id: change.id };
  }
}
