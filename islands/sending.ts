/** What its writer has sent goes out by itself: in order, one at a time, again with the same key until it is settled. */
import { effect, signal, type ReadonlySignal } from "@preact/signals";
import { next, refuse, refuseAll, retry, settle, type Outbox } from "../src/shared/outbox.ts";
import type { ClientKey } from "../src/shared/ids.ts";
import type { ClientFrame, Refusal, RefusalCode, ServerFrame } from "../src/shared/protocol.ts";
import { outboxName, readOutbox, writeOutbox } from "./outbox.ts";

export interface Sending {
  outbox: ReadonlySignal<Outbox>;
  /** Why the server could not take a message just now, which goes out again by itself. */
  trouble: ReadonlySignal<{ key: string; code: RefusalCode } | null>;
  /** Seconds until the server takes messages again; what is written meanwhile waits. */
  wait: ReadonlySignal<number>;
  /** `key`: of an attempt that went another way and was not answered. */
  add(text: string, key?: ClientKey): void;
  retry(key: string): void;
  discard(key: string): void;
  /** The server listens to this writer. */
  start(): void;
  /** Nobody listens any more. */
  pause(): void;
  /** Stored under the number `rev`; `held` is the number up to which everything is here. */
  acknowledged(frame: Extract<ServerFrame, { type: "ack" }>, held: number): void;
  refused(frame: Refusal): void;
  /** These have come, as part of everything up to the number `held`. */
  arrived(keys: ReadonlySet<string | undefined>, held: number): void;
  /** Nothing of it will be stored unless its writer tries again. */
  giveUp(code: RefusalCode): void;
  stop(): void;
}

/** Over which messages go out. */
export interface Line {
  /** False where there is no socket. */
  send(frame: ClientFrame): boolean;
  /** Nobody answers on the present socket: another one is wanted. */
  giveUp(): void;
}

/** No answer for so long: it is sent again. Milliseconds. */
const ANSWER_PATIENCE = 10_000;

/** So many attempts at one message without an answer: the connection is dead. */
const ATTEMPTS = 2;

/** Between attempts while the server cannot store anything. Milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** By outbox: the last one that was made for it sends. */
const present = new Map<string, Sending>();

export function createSending(room: string, user: number, line: Line): Sending {
  const name = outboxName(room, user);
  present.get(name)?.stop();
  const outbox = signal(readOutbox(name));
  const stopKeeping = effect(() => writeOutbox(name, outbox.value));
  const trouble = signal<{ key: string; code: RefusalCode } | null>(null);
  const wait = signal(0);
  let countdown: ReturnType<typeof setInterval> | undefined;
  let isListening = false;
  /** The one in flight, with the number it was acknowledged with, and the timer of its next attempt. */
  let flight: { key: string; rev: number | null } | null = null;
  let again: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let unanswered = 0;

  function flow(): void {
    const message = next(outbox.value);
    if (!message || !isListening || flight !== null || wait.value > 0) return;
    const { key, text } = message;
    if (!line.send({ type: "send", room, key, text })) return;
    flight = { key, rev: null };
    clearTimeout(again);
    again = setTimeout(unheard, ANSWER_PATIENCE);
  }

  /** A hidden page sends on too, and nothing else looks after its connection. */
  function unheard(): void {
    if (++unanswered < ATTEMPTS) return land();
    unanswered = 0;
    line.giveUp();
  }

  /** Whatever was in flight is not any more; the first that is not settled goes out. */
  function land(): void {
    clearTimeout(again);
    flight = null;
    flow();
  }

  function settled(keys: ReadonlySet<string | undefined>): void {
    outbox.value = settle(outbox.value, keys);
    if (flight && keys.has(flight.key)) goOn();
  }

  function goOn(): void {
    failures = unanswered = 0;
    trouble.value = null;
    land();
  }

  /** Nothing is refused for being written too fast: it goes out when it may. */
  function waitFor(seconds: number): void {
    wait.value = seconds;
    clearInterval(countdown);
    countdown = setInterval(() => {
      wait.value--;
      if (wait.value > 0) return;
      clearInterval(countdown);
      flow();
    }, 1000);
  }

  const sending: Sending = {
    outbox,
    trouble,
    wait,

    add(text, key = newKey()) {
      outbox.value = [...outbox.value, { key, text, createdAt: Date.now(), refusal: null }];
      flow();
    },

    retry(key) {
      if (key === flight?.key) return land();
      outbox.value = retry(outbox.value, key);
      flow();
    },

    discard: (key) => settled(new Set([key])),

    start() {
      // Everybody who asks on this socket is welcomed.
      if (isListening) return;
      isListening = true;
      goOn();
    },

    pause() {
      isListening = false;
      goOn();
    },

    acknowledged({ key, rev }, held) {
      // Not before the message itself is here: it takes the place of its pending copy.
      if (rev <= held) return settled(new Set([key]));
      if (flight?.key !== key) return;
      flight.rev = rev;
      clearTimeout(again);
    },

    refused({ key, code, retryable, retryAfter }) {
      if (key === null || flight?.key !== key) return;
      if (!retryable) {
        outbox.value = refuse(outbox.value, key, code);
        return goOn();
      }
      if (code === "rate_limited") {
        waitFor(retryAfter ?? 1);
        return goOn();
      }
      trouble.value = { key, code };
      unanswered = 0;
      clearTimeout(again);
      again = setTimeout(land, Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** ++failures));
    },

    arrived(keys, held) {
      settled(keys);
      if (flight && flight.rev !== null && flight.rev <= held) settled(new Set([flight.key]));
    },

    giveUp(code) {
      outbox.value = refuseAll(outbox.value, code);
      goOn();
    },

    stop() {
      stopKeeping();
      clearInterval(countdown);
      clearTimeout(again);
      isListening = false;
      if (present.get(name) === sending) present.delete(name);
    },
  };
  present.set(name, sending);
  return sending;
}

/** Not `crypto.randomUUID`, which pages without TLS do not have. */
export function newKey(): ClientKey {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") as ClientKey;
}
