/** The product with one part made wrong: each of these is a mistake that somebody could make, and that has to be noticed. */
import { createFeed } from "../../src/chat/feed.ts";
import { createMemoryBus } from "../../src/bus/memory.ts";
import type { Bus, BusEvent } from "../../src/chat/ports.ts";
import { createRecent } from "../../src/chat/recent.ts";
import { createWriter } from "../../src/chat/writer.ts";
import * as follower from "../../src/shared/follower.ts";
import type { ClientKey } from "../../src/shared/ids.ts";
import { apply } from "../../src/shared/timeline.ts";
import { tellHeads } from "../../src/ws/beacon.ts";
import { socketHandlers } from "../../src/ws/handlers.ts";
import { createHub } from "../../src/ws/hub.ts";
import type { Promised } from "./ledger.ts";
import type { Parts } from "./world.ts";

export interface Wrong {
  what: string;
  parts: Partial<Parts>;
  /** One of these is broken by it. */
  breaks: readonly Promised[];
}

export const WRONG: readonly Wrong[] = [
  {
    what: "acknowledges before it is on stable storage",
    parts: { store: { answersEarly: true } },
    breaks: ["I1", "I5"],
  },
  {
    what: "lets readers see what is not on stable storage",
    parts: { store: { showsEarly: true } },
    breaks: ["I5"],
  },
  {
    what: "stores a key as often as it is sent",
    parts: { store: { forgetsKeys: true } },
    breaks: ["I3"],
  },
  {
    what: "reads first and follows then",
    parts: {
      createHub: (bus) => {
        const hub = createHub(bus);
        return { ...hub, follow: (socket, room, _, asOf) => hub.follow(socket, room, Infinity, asOf) };
      },
    },
    breaks: ["I4"],
  },
  {
    what: "leaves out the first of what was missed",
    parts: {
      createFeed: (deps) => {
        const feed = createFeed(deps);
        return {
          ...feed,
          async catchUp(reader, held) {
            const missed = await feed.catchUp(reader, held);
            if ("reset" in missed) return missed;
            return { ...missed, changes: { ...missed.changes, changes: missed.changes.changes.slice(1) } };
          },
        };
      },
    },
    breaks: ["I5"],
  },
  {
    what: "finds what was missed by the time of writing",
    parts: {
      createFeed: ({ store, recent }) => ({
        ...createFeed({ store, recent }),
        async catchUp({ room }, { epoch, rev }) {
          if (epoch !== store.epoch()) return { reset: "epoch" };
          const { to, changes } = await store.changesSince(room.id, 0, 10_000);
          const last = changes.findLast((message) => message.rev <= rev);
          const later = changes.filter(({ createdAt }) => createdAt > (last?.createdAt ?? 0));
          return { changes: { from: rev, to, changes: later }, isWhole: true };
        },
      }),
    },
    breaks: ["I5"],
  },
  {
    what: "never tells the head",
    parts: { tellHeads: async () => {} },
    breaks: ["I12"],
  },
  {
    what: "tells a head that is not the last",
    parts: {
      tellHeads: ({ hub }) =>
        tellHeads({ hub, feed: { heads: async (rooms) => new Map(rooms.map((room) => [room, 0])) } }),
    },
    breaks: ["I6"],
  },
  {
    what: "answers before it tells the readers",
    parts: {
      createWriter(deps) {
        const late = (event: BusEvent) => deps.afterTurn(() => deps.bus.publish(event));
        return createWriter({ ...deps, bus: { ...deps.bus, publish: late } });
      },
    },
    breaks: ["I11"],
  },
  {
    what: "sends the next message before the last one is settled",
    parts: { flying: (outbox) => outbox.filter(({ refusal }) => refusal === null) },
    breaks: ["I10"],
  },
  {
    what: "makes a new key for each attempt",
    parts: { keyAgain: (key) => `${key}-` as ClientKey },
    breaks: ["I3"],
  },
  {
    what: "drops what a slow reader has no room for",
    parts: {
      socketHandlers: (...given) => ({ ...socketHandlers(...given), closeOnBackpressureLimit: false }),
    },
    breaks: ["I4"],
  },
  {
    what: "goes on when the disk has failed",
    parts: {
      createWriter(deps) {
        const write: typeof deps.store.write = (batch) =>
          deps.store.write(batch).catch(() => {
            throw new Error("not stored");
          });
        return createWriter({ ...deps, store: { write }, onFailure() {} });
      },
    },
    breaks: ["I4", "I11"],
  },
  {
    what: "goes on with what was allowed before",
    parts: {
      createHub: (bus) => {
        const hub = createHub(bus);
        const follow: typeof hub.follow = (socket, room, rev) =>
          hub.follow(socket, room, rev, hub.removals());
        return { ...hub, removals: () => 0, follow };
      },
    },
    breaks: ["I9"],
  },
  {
    what: "does not hear that somebody has left",
    parts: { createHub: (bus) => createHub(without("membership.ended", bus)) },
    breaks: ["I9"],
  },
  {
    what: "does not hear that a session is over",
    parts: { createHub: (bus) => createHub(without("sessions.ended", bus)) },
    breaks: ["I9"],
  },
  {
    what: "remembers recent changes and never hears of new ones",
    parts: { createRecent: (deps) => createRecent({ ...deps, bus: createMemoryBus() }) },
    breaks: ["I6"],
  },
  {
    what: "forgets a socket only when it says goodbye",
    parts: {
      socketHandlers(hub, ...given) {
        const handlers = socketHandlers(hub, ...given);
        return {
          ...handlers,
          close: (socket, code, why) => void (code < 1006 && handlers.close?.(socket, code, why)),
        };
      },
    },
    breaks: ["I7"],
  },
  {
    what: "applies what comes after a gap",
    parts: {
      follower: {
        ...follower,
        receiveChanges(held, frame) {
          const rev = Math.max(held.timeline.rev, frame.from);
          const { timeline } = apply({ ...held.timeline, rev }, frame);
          return { follower: { ...held, timeline }, ask: false };
        },
      },
    },
    breaks: ["I5"],
  },
  {
    what: "waits for ever for an answer that was refused",
    parts: { follower: { ...follower, receiveRefusal: (held) => held } },
    breaks: ["I6"],
  },
];

function without(type: BusEvent["type"], bus: Bus): Bus {
  return {
    ...bus,
    subscribe: (listener) => bus.subscribe((event) => void (event.type !== type && listener(event))),
  };
}
