/** A room as this page lives it: the timeline, what is on its way, and how the connection stands. */
import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { ClientKey } from "../src/shared/ids.ts";
import {
  CLOSE_SESSION_OVER,
  type Held,
  type RefusalCode,
  type SendRefusals,
  type ServerFrame,
} from "../src/shared/protocol.ts";
import { apply, type Timeline } from "../src/shared/timeline.ts";
import type { ShownMessage } from "../views/components/message.tsx";
import { readOutbox, writeOutbox, type Outgoing } from "./outbox.ts";
import { joinPageSocket } from "./page-socket.ts";

/** `connecting`: not once connected since the page was loaded. */
export type Standing = "connecting" | "live" | "offline" | "reset" | "removed";

export interface RoomOptions {
  slug: string;
  held: Omit<Held, "room">;
  messages: Timeline["messages"];
  /** The name the page was drawn for; null for guests. */
  user: string | null;
  /** Their picture. */
  avatar: string | null;
  /** Null for guests, who are refused nothing. */
  refusals: SendRefusals | null;
}

export interface Room {
  messages: ReadonlySignal<readonly ShownMessage[]>;
  standing: ReadonlySignal<Standing>;
  signedOut: ReadonlySignal<boolean>;
  /** Seconds until the server takes messages again; what is written meanwhile waits. */
  wait: ReadonlySignal<number>;
  /** False when the page's form has to do it, because the socket has never worked. */
  send(text: string): boolean;
  /** The newest message has been seen. */
  read(): void;
  leave(): void;
}

const open = new Map<string, Room>();

/** The room that a pane on this page keeps open. */
export function roomBySlug(slug: string): Room | undefined {
  return open.get(slug);
}

export function openRoom({ slug, held, messages, user, avatar, refusals }: RoomOptions): Room {
  const timeline = signal<Timeline>({ rev: held.rev, messages });
  const outgoing = signal(user === null ? [] : readOutbox(slug, user));
  const stopKeeping = effect(() => {
    if (user !== null) writeOutbox(slug, user, outgoing.value);
  });
  const standing = signal<Standing>("connecting");
  const signedOut = signal(false);
  const wait = signal(0);
  let countdown: ReturnType<typeof setInterval> | undefined;
  /** The place of the last message that the server knows to be read. */
  let seen = 0;

  const connection = joinPageSocket({
    opened() {
      connection.send({ type: "hello", rooms: [{ room: slug, epoch: held.epoch, rev: timeline.value.rev }] });
      // The keys stay the same, so what arrived before is only acknowledged again.
      flush();
    },
    received: handle,
    lost(code) {
      if (code === CLOSE_SESSION_OVER) endSession();
      if (standing.value === "live") standing.value = "offline";
    },
  });

  function handle(frame: ServerFrame): void {
    switch (frame.type) {
      case "welcome":
        if (standing.value !== "removed") standing.value = "live";
        if (user !== null && frame.user === null) endSession();
        return;
      case "changes": {
        const applied = apply(timeline.value, frame);
        if (applied.gap)
          return void connection.send({
            type: "resume",
            room: slug,
            epoch: held.epoch,
            rev: timeline.value.rev,
          });
        timeline.value = applied.timeline;
        return settle(new Set(frame.changes.map((message) => message.key)));
      }
      case "ack":
        // Not before the message itself is here: it takes the place of its pending copy.
        if (frame.rev <= timeline.value.rev) settle(new Set([frame.key]));
        return;
      case "refusal":
        if (frame.key === null) return;
        if (frame.code === "rate_limited") return pause(frame.retryAfter ?? 1);
        return refuse(frame.key, frame.code);
      case "reset":
        standing.value = "reset";
        return;
      case "removed":
        standing.value = "removed";
        for (const { key } of outgoing.value) refuse(key, "not_found");
        return;
      case "caught-up":
      case "head":
      case "typing":
      case "bye":
      case "presence":
      case "unread":
      case "news":
    }
  }

  function transmit({ key, text }: Outgoing): void {
    if (wait.value === 0) connection.send({ type: "send", room: slug, key, text });
  }

  function flush(): void {
    for (const message of outgoing.value) if (message.refusal === null) transmit(message);
  }

  /** Nothing is refused for being written too fast: it goes out when it may. */
  function pause(seconds: number): void {
    wait.value = seconds;
    clearInterval(countdown);
    countdown = setInterval(() => {
      wait.value--;
      if (wait.value > 0) return;
      clearInterval(countdown);
      flush();
    }, 1000);
  }

  function mark(key: string, refusal: string | null): void {
    outgoing.value = outgoing.value.map((message) =>
      message.key === key ? { ...message, refusal } : message,
    );
  }

  function settle(keys: ReadonlySet<string | undefined>): void {
    if (outgoing.value.some(({ key }) => keys.has(key))) {
      outgoing.value = outgoing.value.filter(({ key }) => !keys.has(key));
    }
  }

  function refuse(key: string, code: RefusalCode): void {
    if (code === "login_required") signedOut.value = true;
    mark(key, wordsFor(code));
  }

  function wordsFor(code: RefusalCode): string {
    return refusals && code in refusals ? refusals[code as keyof SendRefusals] : code;
  }

  function endSession(): void {
    signedOut.value = true;
    for (const { key } of outgoing.value) refuse(key, "login_required");
  }

  function retry(message: Outgoing): void {
    mark(message.key, null);
    transmit(message);
  }

  /** A message on its way looks like any other, at the end of the list. */
  function shown(message: Outgoing): ShownMessage {
    const { key, text, createdAt, refusal } = message;
    const unplaced = { id: 0, seq: 0, rev: 0, author: user ?? "", avatar };
    const discard = () => settle(new Set([key]));
    return {
      ...unplaced,
      key,
      text,
      createdAt,
      delivery:
        refusal === null
          ? { state: "sending" }
          : { state: "refused", reason: refusal, retry: () => retry(message), discard },
    };
  }

  const room: Room = {
    messages: computed(() => [...timeline.value.messages, ...outgoing.value.map(shown)]),
    standing,
    signedOut,
    wait,

    send(text) {
      if (standing.value === "connecting") return false;
      const message = { key: newKey(), text, createdAt: Date.now(), refusal: null };
      outgoing.value = [...outgoing.value, message];
      transmit(message);
      return true;
    },

    read() {
      const seq = timeline.value.messages.at(-1)?.seq ?? 0;
      if (user === null || seq <= seen) return;
      if (connection.send({ type: "read", room: slug, seq })) seen = seq;
    },

    leave() {
      stopKeeping();
      clearInterval(countdown);
      connection.close();
      if (open.get(slug) === room) open.delete(slug);
    },
  };
  open.set(slug, room);
  return room;
}

/** Not `crypto.randomUUID`, which pages without TLS do not have. */
function newKey(): ClientKey {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") as ClientKey;
}
