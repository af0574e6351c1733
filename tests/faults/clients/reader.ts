/** Follows the rooms of one person on a native socket, and logs every frame. Written from docs/protocol.md. */
import {
  greeted,
  look,
  receiveCaughtUp,
  receiveChanges,
  receiveHead,
  receiveRefusal,
  type Follower,
  type Step,
} from "../../../src/shared/follower.ts";
import type { ServerFrame } from "../../../src/shared/protocol.ts";
import { seen, type Log } from "../log.ts";
import type { Line } from "./line.ts";

export interface Reader {
  followers: ReadonlyMap<string, Follower>;
  /** Says hello with all that is held. */
  greet(line: number): void;
  receive(line: number, frame: ServerFrame): void;
  /** To be called again and again: asks for what has not come. */
  tick(line: number): void;
  /** Asks for a room again, whether it is thought to be open or not. */
  ask(line: number, room: string): void;
}

/** An answer that takes longer is asked for on another socket. Milliseconds. */
const ANSWER_PATIENCE = 5_000;

export function createReader(deps: {
  who: string;
  rooms: readonly string[];
  epoch: string;
  log: Log;
  line: () => Line;
  now: () => number;
}): Reader {
  const { who, rooms, epoch, log, line: transport, now } = deps;
  const empty: Follower = { timeline: { rev: 0, messages: [] }, isAsking: false, behindSince: null };
  const followers = new Map(rooms.map((room) => [room, empty]));
  const askedAt = new Map<string, number>();

  function ask(line: number, room: string): void {
    const rev = followers.get(room)?.timeline.rev ?? 0;
    log.write({ type: "asked", who, line, room, rev });
    askedAt.set(room, now());
    transport().send({ type: "resume", room, epoch, rev });
  }

  function take(line: number, room: string, step: (follower: Follower) => Step | Follower): void {
    const follower = followers.get(room);
    if (!follower) return;
    const after = step(follower);
    const { follower: next, ask: asks } = "ask" in after ? after : { follower: after, ask: false };
    followers.set(room, next);
    if (asks) ask(line, room);
  }

  return {
    followers,
    ask,

    greet(line) {
      const held = [...followers].map(
        ([
          room,
          {
            timeline: { rev },
          },
        ]) => ({ room, epoch, rev }),
      );
      for (const { room, rev } of held) {
        log.write({ type: "asked", who, line, room, rev });
        askedAt.set(room, now());
        take(line, room, greeted);
      }
      transport().send({ type: "hello", rooms: held });
    },

    receive(line, frame) {
      switch (frame.type) {
        case "changes": {
          const { room, from, to, changes } = frame;
          log.write({ type: "got", who, line, room, from, to, changes: changes.map(seen) });
          askedAt.set(room, now());
          return take(line, room, (follower) => receiveChanges(follower, frame));
        }
        case "caught-up": {
          const { room, rev } = frame;
          log.write({ type: "caught-up", who, line, room, rev });
          return take(line, room, (follower) => receiveCaughtUp(follower, rev));
        }
        case "head":
          return take(line, frame.room, (follower) => receiveHead(follower, frame.head, now()));
        case "reset":
          log.write({ who, line, ...frame });
          return void followers.delete(frame.room);
        case "removed":
          log.write({ who, line, ...frame });
          return void followers.delete(frame.room);
        case "refusal":
          // Without a key it answers what was asked for; nobody says of which room.
          for (const room of frame.key === null ? followers.keys() : [])
            take(line, room, (follower) => receiveRefusal(follower, now()));
          return;
        case "welcome":
        case "bye":
        case "ack":
        case "typing":
        case "presence":
        case "unread":
        case "news":
      }
    },

    tick(line) {
      for (const [room, { isAsking }] of followers) {
        take(line, room, (follower) => look(follower, now()));
        if (isAsking && now() - (askedAt.get(room) ?? 0) > ANSWER_PATIENCE) return transport().renew();
      }
    },
  };
}
