/** Somebody at a page of ours: reads, writes, changes what they wrote, and comes back whatever happens. */
import type { Follower } from "../../../src/shared/follower.ts";
import type { MessageView, ServerFrame } from "../../../src/shared/protocol.ts";
import type { Client } from "../../../src/testing/client.ts";
import type { View } from "../checker/findings.ts";
import { openLine } from "./line.ts";
import { seen, type Log } from "../log.ts";
import { createReader } from "./reader.ts";
import { createSender } from "./sender.ts";
import type { Texts } from "./texts.ts";

export interface Person {
  who: string;
  client: Client;
  /** The number held of each room that is still open to them. */
  held(): ReadonlyMap<string, number>;
  /** Their keys that have no answer yet. */
  waiting(): string[];
  post(room: string, text?: string): void;
  /** Posts most of the time, else changes or removes something of their own. */
  act(): void;
  /** Asks for a room that may be closed. */
  ask(room: string): void;
  /** Closes the socket without a word, until `wake`. */
  sleep(): void;
  wake(): void;
  /** Connected, and told of everything that there was. */
  isLive(): boolean;
  views(): View[];
}

/** Of what somebody does. */
const EDITS = 0.12;
const REMOVALS = 0.06;

/** Whoever has so much on the way waits before they write more. */
const OUTBOX_MAX = 20;

const TICK = 100;

export function createPerson(deps: {
  who: string;
  client: Client;
  rooms: readonly string[];
  epoch: string;
  log: Log;
  random: () => number;
  texts: Texts;
}): Person {
  const { who, client, rooms, epoch, log, random, texts } = deps;
  const now = () => performance.now();
  const parts = { who, log, now, line: () => line };
  const reader = createReader({ ...parts, rooms, epoch });
  const sender = createSender({ ...parts, newKey: texts.key });
  let ticking: Timer | undefined;

  const line = openLine({
    client,
    path: "/ws/",
    log,
    random,
    hasBeacon: true,
    events: {
      opened(number) {
        reader.greet(number);
        sender.send(number);
      },
      received(number, text) {
        const frame = JSON.parse(text) as ServerFrame;
        if (frame.type === "bye") {
          log.write({ who, line: number, ...frame });
          line.waitBefore(frame.after);
        }
        reader.receive(number, frame);
        sender.receive(number, frame);
      },
      lost: (number, code) => log.write({ type: "closed", who, line: number, code }),
    },
  });

  function tick(): void {
    const open = line.current();
    if (open === null) return;
    reader.tick(open);
    sender.tick(open);
  }

  function add(room: string, change: Parameters<typeof sender.add>[1]): void {
    sender.add(room, change);
    const open = line.current();
    if (open !== null) sender.send(open);
  }

  function ownMessage(room: string): MessageView | undefined {
    const follower = reader.followers.get(room) as Follower;
    const own = follower.timeline.messages.filter(({ author, deletedAt }) => author === who && !deletedAt);
    return own[Math.floor(random() * own.length)];
  }

  const post = (room: string, text = texts.next(who)) => add(room, { kind: "post", text });

  return {
    who,
    client,
    post,
    held: () => new Map([...reader.followers].map(([room, { timeline }]) => [room, timeline.rev])),
    waiting: sender.waiting,

    act() {
      if (sender.waiting().length >= OUTBOX_MAX) return;
      const open = [...reader.followers.keys()];
      const room = open[Math.floor(random() * open.length)];
      if (room === undefined) return;
      const [draw, own] = [random(), ownMessage(room)];
      if (!own || draw > EDITS + REMOVALS) post(room);
      else if (draw > REMOVALS) add(room, { kind: "edit", id: own.id, text: texts.next(who) });
      else add(room, { kind: "remove", id: own.id });
    },

    ask(room) {
      const open = line.current();
      if (open !== null) reader.ask(open, room);
    },

    sleep() {
      clearInterval(ticking);
      ticking = undefined;
      line.close();
    },
    wake() {
      line.open();
      ticking = setInterval(tick, TICK);
    },
    isLive: () =>
      line.current() !== null && [...reader.followers.values()].every(({ isAsking }) => !isAsking),

    views: () =>
      [...reader.followers].map(([room, { timeline }]) => ({
        who,
        room,
        messages: timeline.messages.map(seen),
      })),
  };
}
