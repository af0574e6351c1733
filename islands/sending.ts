/** What its writer has sent goes out by itself: in order, one at a time, again with the same key until it is settled. */
import { effect, signal, type ReadonlySignal } from "@preact/signals";
import { next, refuse, refuseAll, retry, settle, type Outbox, type Outgoing } from "../src/shared/outbox.ts";
import type { ClientKey } from "../src/shared/ids.ts";
import type { Refusal, RefusalCode, ServerFrame } from "../src/shared/protocol.ts";
import { readOutbox, writeOutbox } from "./outbox.ts";

export interface Sending {
  outbox: ReadonlySignal<Outbox>;
  /** Why the server could not take a message just now, which goes out again by itself. */
  trouble: ReadonlySignal<{ key: string; code: RefusalCode } | null>;
  /** Seconds until the server takes messages again; what is written meanwhile waits. */
  wait: ReadonlySignal<number>;
  add(text: string): void;
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

/** No answer for so long: it is sent again. Milliseconds. */
const ANSWER_PATIENCE = 10_000;

/** Between attempts while the server cannot store anything. Milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** `transmit` is false where there is no socket. */
export function createSending(room: string, user: string, transmit: (message: Outgoing) => boolean): Sending {
  const outbox = signal(readOutbox(room, user));
  const stopKeeping = effect(() => writeOutbox(room, user, outbox.value));
  const trouble = signal<{ key: string; code: RefusalCode } | null>(null);
  const wait = signal(0);
  let countdown: ReturnType<typeof setInterval> | undefined;
  let isListening = false;
  /** The one in flight, with the number it was acknowledged with, and the timer of its next attempt. */
  let flight: { key: string; rev: number | null } | null = null;
  let again: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  function flow(): void {
    const message = next(outbox.value);
    if (!message || !isListening || flight !== null || wait.value > 0) return;
    if (!transmit(message)) return;
    flight = { key: message.key, rev: null };
    attemptIn(ANSWER_PATIENCE);
  }

  function attemptIn(milliseconds: number): void {
    clearTimeout(again);
    again = setTimeout(land, milliseconds);
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
    failures = 0;
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

  return {
    outbox,
    trouble,
    wait,

    add(text) {
      outbox.value = [...outbox.value, { key: newKey(), text, createdAt: Date.now(), refusal: null }];
      flow();
    },

    retry(key) {
      if (key === flight?.key) return land();
      outbox.value = retry(outbox.value, key);
      flow();
    },

    discard: (key) => settled(new Set([key])),

    start() {
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
      attemptIn(Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** ++failures));
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
    },
  };
}

/** Not `crypto.randomUUID`, which pages without TLS do not have. */
export function newKey(): ClientKey {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") as ClientKey;
}
