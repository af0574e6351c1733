/** A room as this page lives it: its messages, what is on its way, and how the connection stands. */
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { ClientKey } from "../src/shared/ids.ts";
import { next, type Outgoing } from "../src/shared/outbox.ts";
import {
  CLOSE_SESSION_OVER,
  type Held,
  type RefusalCode,
  type SendRefusals,
  type ServerFrame,
} from "../src/shared/protocol.ts";
import type { ReadMark } from "../src/shared/rows.ts";
import type { Timeline } from "../src/shared/timeline.ts";
import type { ShownMessage } from "../views/components/message.tsx";
import { follow } from "./following.ts";
import { joinPageSocket } from "./page-socket.ts";
import { createReadLine } from "./read-line.ts";
import { mayReload, reloadSoon } from "./reload.ts";
import { createSending } from "./sending.ts";
import { createTyping } from "./typing.ts";
import { isWelcome, type Writer } from "./writer.ts";

/** `connecting`: not once connected since the page was loaded. `reset`: it loads anew. `stale`: that did not help. */
export type Standing = "connecting" | "live" | "offline" | "reset" | "stale" | "removed";

export interface RoomOptions {
  slug: string;
  held: Omit<Held, "room">;
  messages: Timeline["messages"];
  previousAt: number | null;
  /** What was unread when the page was drawn. */
  mark: ReadMark | null;
  /** Whom the page was drawn for; null for guests. */
  user: Writer | null;
  /** Their picture. */
  avatar: string | null;
  /** Null for guests, who are refused nothing. */
  refusals: SendRefusals | null;
  /** Whether somebody sees the newest message now. */
  isSeen: () => boolean;
}

export interface Room {
  messages: ReadonlySignal<Timeline["messages"]>;
  /** When the message before the first was written, if there is one. */
  previousAt: ReadonlySignal<number | null>;
  /** The reader's own, on their way: they look like any other, at the end of the list. */
  pending: ReadonlySignal<readonly ShownMessage[]>;
  /** Where the unread line stands. */
  mark: ReadonlySignal<ReadMark | null>;
  /** Who is writing just now. */
  writers: ReadonlySignal<readonly string[]>;
  standing: ReadonlySignal<Standing>;
  signedOut: ReadonlySignal<boolean>;
  /** Seconds until the server takes messages again; what is written meanwhile waits. */
  wait: ReadonlySignal<number>;
  /**
   * False when the page's form has to do it, because the socket has never worked. `key`: of the form, where it has tried and
   * had no answer.
   */
  send(text: string, key?: ClientKey): boolean;
  /** A text is being written. */
  typed(): void;
  /** The newest message has been seen. */
  read(): void;
  /** The oldest messages are history's from now on. */
  drop(count: number): void;
  leave(): void;
}

/** Nothing heard for so long: whoever comes back has not seen what came meanwhile. Milliseconds. */
const AWAY = 30_000;

const open = new Map<string, Room>();

/** The room that a pane on this page keeps open. */
export function roomBySlug(slug: string): Room | undefined {
  return open.get(slug);
}

export function openRoom(options: RoomOptions): Room {
  const { slug, held, messages, user, avatar, refusals, isSeen } = options;
  const { epoch } = held;
  const ask = (rev: number) => void connection.send({ type: "resume", room: slug, epoch, rev });
  const following = follow({ rev: held.rev, messages }, options.previousAt, ask);
  /** The reader's name, which may change. */
  const name = signal(user && user.name);
  const typing = createTyping(() => void connection.send({ type: "typing", room: slug }));
  const line = createReadLine(options.mark, user && user.name, lastPlace());
  const standing = signal<Standing>("connecting");
  const signedOut = signal(false);
  /** The place of the last message that the server knows to be read. */
  let told = 0;
  let heardAt = Date.now();
  let isBack = false;
  let callOff = () => {};

  const connection = joinPageSocket({
    opened: () =>
      void connection.send({ type: "hello", rooms: [{ room: slug, epoch, rev: following.hello() }] }),
    received(frame) {
      if (!("room" in frame) || frame.room === slug) received(frame);
      heardAt = Date.now();
    },
    lost(code) {
      sending?.pause();
      // Whether it has arrived is not known.
      told = 0;
      if (code === CLOSE_SESSION_OVER) endSession();
      if (standing.value === "live") standing.value = "offline";
    },
  });

  const sending = user && createSending(slug, user.id, connection);

  function received(frame: ServerFrame): void {
    switch (frame.type) {
      case "welcome":
        isBack ||= Date.now() - heardAt > AWAY;
        if (standing.value === "connecting" || standing.value === "offline") standing.value = "live";
        // Somebody else may have signed in on this browser since: nothing goes out under their name.
        return user === null || isWelcome(frame, user) ? startSession(frame.user) : endSession();
      case "changes":
        return changed(frame);
      case "caught-up":
        isBack = false;
        return following.received(frame);
      case "head":
        return following.received(frame);
      case "ack":
        return sending?.acknowledged(frame, following.timeline.value.rev);
      case "refusal":
        if (frame.key === null) return following.received(frame);
        if (frame.code === "login_required") signedOut.value = true;
        return sending?.refused(frame);
      case "typing":
        return void (frame.name !== name.value && typing.heard(frame.name));
      case "reset":
        return startAnew();
      case "removed":
        // Where only members read, nobody is told more than that until they are signed in again.
        if (signedOut.value) return;
        standing.value = "removed";
        return sending?.giveUp("not_found");
      case "bye":
      case "presence":
      case "unread":
      case "news":
    }
  }

  function changed(frame: Extract<ServerFrame, { type: "changes" }>): void {
    const { rev } = following.timeline.value;
    following.received(frame);
    if (following.timeline.value.rev === rev) return;
    const fresh = frame.changes.filter(({ seq }) => seq > rev);
    for (const { author } of fresh) typing.done(author);
    if (isBack || !isSeen()) line.came(fresh);
    sending?.arrived(new Set(frame.changes.map(({ key }) => key)), following.timeline.value.rev);
  }

  function startAnew(): void {
    if (standing.value === "reset" || standing.value === "stale") return;
    standing.value = mayReload() ? "reset" : "stale";
    if (standing.value === "reset") callOff = reloadSoon();
  }

  function startSession(present: string | null): void {
    name.value = present;
    signedOut.value = false;
    sending?.start();
  }

  function endSession(): void {
    signedOut.value = true;
    sending?.giveUp("login_required");
  }

  function lastPlace(): number {
    return following.timeline.value.messages.at(-1)?.seq ?? 0;
  }

  function wordsFor(code: RefusalCode): string {
    return refusals && code in refusals ? refusals[code as keyof SendRefusals] : code;
  }

  function shown({ key, text, createdAt, refusal }: Outgoing): ShownMessage {
    const unplaced = { id: 0, seq: 0, rev: 0, author: name.value ?? "", avatar };
    const trouble = sending?.trouble.value;
    const code = refusal ?? (trouble?.key === key ? trouble.code : null);
    const choice = { retry: () => sending?.retry(key), discard: () => sending?.discard(key) };
    return {
      ...unplaced,
      key,
      text,
      createdAt,
      delivery:
        code === null ? { state: "sending" } : { state: "refused", reason: wordsFor(code), ...choice },
    };
  }

  const room: Room = {
    messages: computed(() => following.timeline.value.messages),
    previousAt: following.previousAt,
    pending: computed(() => sending?.outbox.value.map(shown) ?? []),
    mark: line.mark,
    writers: typing.names,
    standing,
    signedOut,
    wait: sending?.wait ?? signal(0),

    send(text, key) {
      // What has waited since before a reload goes first: the form would overtake it.
      if (!sending || (standing.value === "connecting" && !next(sending.outbox.value))) return false;
      sending.add(text, key);
      return true;
    },

    typed() {
      if (!signedOut.value) typing.typed();
    },

    read() {
      const seq = lastPlace();
      line.read(seq);
      if (user === null || signedOut.value || seq <= told) return;
      if (connection.send({ type: "read", room: slug, seq })) told = seq;
    },

    drop: following.drop,

    leave() {
      callOff();
      following.stop();
      sending?.stop();
      typing.stop();
      connection.close();
      if (open.get(slug) === room) open.delete(slug);
    },
  };
  open.set(slug, room);
  return room;
}
