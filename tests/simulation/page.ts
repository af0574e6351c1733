/**
 * A page that somebody has open: the pure parts of our client, and around them no more than a client needs: a socket that
 * is opened again, a page that is loaded anew, and messages that go out until they are settled.
 */
import { Refused } from "../../src/chat/refusal.ts";
import type { ClientKey, SessionId } from "../../src/shared/ids.ts";
import type * as followers from "../../src/shared/follower.ts";
import type { Follower, Step } from "../../src/shared/follower.ts";
import { nextLook } from "../../src/shared/follower.ts";
import type { Outbox, Outgoing } from "../../src/shared/outbox.ts";
import * as outboxes from "../../src/shared/outbox.ts";
import {
  CLOSE_SESSION_OVER,
  type ClientFrame,
  type MessageView,
  type RefusalCode,
  type ServerFrame,
} from "../../src/shared/protocol.ts";
import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import { createConnection } from "./connection.ts";
import type { Caller, Network } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a page is made of. */
export interface PageParts {
  follower: Pick<
    typeof followers,
    "greeted" | "receiveChanges" | "receiveCaughtUp" | "receiveHead" | "receiveRefusal" | "look"
  >;
  /** The messages that may be in flight together. */
  flying: (outbox: Outbox) => readonly Outgoing[];
  /** With what key a message is sent again. */
  keyAgain: (key: ClientKey) => ClientKey;
}

export interface PageDeps {
  scheduler: Scheduler;
  random: Random;
  network: Network;
  ledger: Ledger;
  parts: PageParts;
  /** The person's session, as their browser holds it. */
  session: () => SessionId | null;
}

export interface Page extends Caller {
  name: string;
  rooms: readonly string[];
  places: ReadonlyMap<string, Place>;
  say(room: string, text: string): void;
  /** Changes, or with null removes, a message. */
  change(room: string, id: number, text: string | null): void;
  sleep(): void;
  wake(): void;
  /** Loads the page anew; what is on its way stays with the tab. */
  reload(): void;
  close(): void;
  isOpen(): boolean;
  isClosed(): boolean;
  /** How often it has connected, and asked for what it missed. */
  efforts(): number;
}

/** One room as a page shows it. */
export interface Place {
  epoch: string;
  follower: Follower;
  outbox: Outbox;
  edits: Edit[];
  standing: "loading" | "following" | "removed";
}

interface Edit {
  key: ClientKey;
  id: number;
  text: string | null;
}

const EMPTY: Follower = { timeline: { rev: 0, messages: [] }, isAsking: false, behindSince: null };

export function openPage(deps: PageDeps, name: string, rooms: readonly string[], drawn?: string): Page {
  const { scheduler, random, network, ledger, parts } = deps;
  const { follower: rules } = parts;
  const places = new Map<string, Place>();
  /** Sent on the present socket, and not answered. */
  const flying = new Set<string>();
  const asleep: (() => void)[] = [];
  let [isAsleep, isClosed] = [false, false];
  let serverEpoch = "";
  /** Timers of an earlier life of the page do nothing any more. */
  let life = 0;
  let keys = 0;
  let waitsUntil = 0;
  let efforts = 0;

  function after(delay: number, task: () => void): void {
    const mine = life;
    scheduler.after(delay, () => {
      if (mine !== life || isClosed) return;
      if (isAsleep) asleep.push(() => void (mine === life && task()));
      else task();
    });
  }

  function place(room: string): Place {
    const known = places.get(room);
    if (known) return known;
    const fresh: Place = { epoch: "", follower: EMPTY, outbox: [], edits: [], standing: "loading" };
    places.set(room, fresh);
    return fresh;
  }

  /** `epoch`: of a page that was drawn when nothing had been said yet. */
  function start(epoch?: string): void {
    life++;
    waitsUntil = 0;
    let missing = rooms.length;
    for (const room of rooms) {
      const ready = () => void (--missing === 0 && connection.open());
      if (epoch !== undefined) draw(room, { epoch, head: 0, messages: [] }, ready);
      else load(room, ready);
    }
  }

  function load(room: string, ready: () => void): void {
    place(room).standing = "loading";
    const [session, mine] = [deps.session(), life];
    network.request(
      (server) => server.open(session, room),
      (shown) => mine === life && draw(room, shown, ready),
      (error) => mine === life && failed(error),
    );
    function failed(error: unknown): void {
      if (!(error instanceof Refused)) return after(random.between(500, 2_000), () => load(room, ready));
      remove(room);
      ready();
    }
  }

  function draw(
    room: string,
    { epoch, head, messages }: { epoch: string; head: number; messages: MessageView[] },
    ready: () => void,
  ): void {
    const here = place(room);
    here.epoch = epoch;
    here.follower = { ...EMPTY, timeline: { rev: head, messages } };
    here.standing = "following";
    ledger.drawn(page, room, epoch, messages);
    ready();
  }

  function remove(room: string): void {
    const here = place(room);
    here.standing = "removed";
    refuseAll(room, "not_found");
  }

  function refuseAll(room: string, code: RefusalCode): void {
    const here = place(room);
    for (const { key, refusal } of here.outbox) if (refusal === null) ledger.refused(page, key, code);
    here.outbox = outboxes.refuseAll(here.outbox, code);
    here.edits = [];
  }

  const connection = createConnection(
    {
      now: scheduler.now,
      after,
      random,
      connect(events) {
        efforts++;
        return network.connect(page, deps.session(), events);
      },
      listens: () => rooms.some((room) => place(room).standing === "following"),
    },
    { opened, received, closed },
  );

  function opened(): void {
    for (const key of flying) sendAgain(key);
    const shown = [...places].filter(([, { standing }]) => standing === "following");
    const held = shown.map(([room, { epoch, follower }]) => ({ room, epoch, rev: follower.timeline.rev }));
    for (const [, here] of shown) here.follower = rules.greeted(here.follower);
    send({ type: "hello", rooms: held });
    flush();
  }

  function closed(code: number): void {
    if (code === CLOSE_SESSION_OVER) for (const room of rooms) refuseAll(room, "login_required");
  }

  function send(frame: ClientFrame): void {
    ledger.trace(() => `${page.name} -> ${JSON.stringify(frame)}`);
    connection.send(JSON.stringify(frame));
  }

  function flush(): void {
    if (!connection.isOpen() || scheduler.now() < waitsUntil) return;
    for (const [room, here] of places) {
      if (here.standing !== "following") continue;
      for (const { key, text } of parts.flying(here.outbox)) transmit(key, { type: "send", room, key, text });
      for (const { key, id, text } of here.edits.slice(0, 1)) {
        if (text === null) transmit(key, { type: "remove", room, key, id });
        else transmit(key, { type: "edit", room, key, id, text });
      }
    }
  }

  function transmit(key: ClientKey, frame: ClientFrame): void {
    if (flying.has(key)) return;
    flying.add(key);
    send(frame);
  }

  function received(text: string): void {
    const frame = JSON.parse(text) as ServerFrame;
    ledger.trace(() => `${page.name} <- ${text.length > 300 ? `${text.slice(0, 300)}...` : text}`);
    if (frame.type === "welcome") return welcomed(frame.epoch, frame.user);
    if (frame.type === "bye") return connection.comeBackAfter(frame.after);
    if (frame.type === "refusal") return refused(frame);
    if (!("room" in frame)) return;
    const here = place(frame.room);
    if (here.standing !== "following") return;
    switch (frame.type) {
      case "changes":
        return take(frame.room, here, frame);
      case "caught-up":
        return step(frame.room, here, rules.receiveCaughtUp(here.follower, frame.rev));
      case "head":
        return hearHead(frame.room, here, frame.head);
      case "ack":
        return acknowledged(here, frame);
      case "reset":
        return reload();
      case "removed":
        return remove(frame.room);
      case "news":
      case "typing":
    }
  }

  function welcomed(epoch: string, user: string | null): void {
    serverEpoch = epoch;
    if (user === null) for (const room of rooms) refuseAll(room, "login_required");
  }

  function take(room: string, here: Place, frame: Extract<ServerFrame, { type: "changes" }>): void {
    const { timeline } = here.follower;
    if (frame.from > timeline.rev) ledger.gap(page, room, timeline.rev, frame.from);
    step(room, here, rules.receiveChanges(here.follower, frame));
    const held = here.follower.timeline.rev;
    if (held < timeline.rev) ledger.broke("I4", `${page.name} went back from ${timeline.rev} to ${held}`);
    for (const message of frame.changes) {
      if (held > timeline.rev && message.rev > timeline.rev)
        ledger.delivered(page, room, here.epoch, message);
    }
    settle(here, new Set(frame.changes.map(({ key }) => key)));
  }

  function step(room: string, here: Place, { follower, ask }: Step): void {
    here.follower = follower;
    if (!ask || !connection.isOpen()) return;
    efforts++;
    send({ type: "resume", room, epoch: here.epoch, rev: follower.timeline.rev });
  }

  function hearHead(room: string, here: Place, head: number): void {
    here.follower = rules.receiveHead(here.follower, head, scheduler.now());
    lookLater(room, here);
  }

  function lookLater(room: string, here: Place): void {
    const due = nextLook(here.follower);
    if (due === null) return;
    after(due - scheduler.now(), () => step(room, here, rules.look(here.follower, scheduler.now())));
  }

  function acknowledged(here: Place, frame: Extract<ServerFrame, { type: "ack" }>): void {
    const { room, key, id, seq, rev, repeat } = frame;
    const edit = here.edits.find((other) => other.key === key);
    if (edit) {
      here.edits = here.edits.filter((other) => other !== edit);
      if (!repeat) ledger.edited(serverEpoch, room, rev, { id, text: edit.text });
      return flush();
    }
    ledger.acknowledged(page, serverEpoch, room, { key, id, seq });
    const isHere = rev <= here.follower.timeline.rev;
    const { isAsking, behindSince } = here.follower;
    if (!isHere && !repeat && !isAsking && behindSince === null) ledger.overtaken(page, room, key);
    // Not before the message itself is here: it takes the place of its pending copy.
    if (isHere) settle(here, new Set([key]));
    else hearHead(room, here, rev);
  }

  function settle(here: Place, settled: ReadonlySet<string | undefined>): void {
    here.outbox = outboxes.settle(here.outbox, settled);
    flush();
  }

  function refused({
    key,
    code,
    retryable,
    retryAfter = 1,
  }: Extract<ServerFrame, { type: "refusal" }>): void {
    for (const [room, here] of places) {
      if (key === null) {
        here.follower = rules.receiveRefusal(here.follower, scheduler.now());
        lookLater(room, here);
      } else if (retryable) pause(key, retryAfter);
      else {
        if (here.outbox.some((message) => message.key === key)) ledger.refused(page, key, code);
        here.outbox = outboxes.refuse(here.outbox, key, code);
        here.edits = here.edits.filter((edit) => edit.key !== key);
      }
    }
    flush();
  }

  function sendAgain(flown: string): void {
    flying.delete(flown);
    for (const here of places.values()) {
      const renamed = ({ key, ...message }: Outgoing) => ({ ...message, key: parts.keyAgain(key) });
      here.outbox = here.outbox.map((message) => (message.key === flown ? renamed(message) : message));
    }
  }

  function pause(key: string, seconds: number): void {
    sendAgain(key);
    waitsUntil = scheduler.now() + seconds * 1000;
    after(seconds * 1000, flush);
  }

  function reload(): void {
    if (isClosed) return;
    connection.close();
    start();
  }

  const newKey = () => `${name}-key-${(keys += 1).toString().padStart(4, "0")}` as ClientKey;

  const page: Page = {
    name,
    rooms,
    places,
    isAsleep: () => isAsleep,
    isOpen: connection.isOpen,
    isClosed: () => isClosed,
    efforts: () => efforts,

    say(room, text) {
      const here = place(room);
      const key = newKey();
      ledger.said(page, room, key, text);
      here.outbox = [...here.outbox, { key, text, createdAt: 0, refusal: null }];
      flush();
    },

    change(room, id, text) {
      const here = place(room);
      here.edits.push({ key: newKey(), id, text });
      if (text !== null) ledger.reworded(text);
      flush();
    },

    sleep: () => void (isAsleep = true),

    wake() {
      isAsleep = false;
      connection.wake();
      for (const task of asleep.splice(0)) task();
    },

    reload,

    close() {
      connection.close();
      isClosed = true;
      life++;
    },
  };
  start(drawn);
  return page;
}
