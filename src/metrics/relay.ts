/** How well this node keeps up with what others write: what it tells, where it had it from, and how far it is behind. */
import type { BusEvent, RoomPlace } from "../chat/ports.ts";
import type { Relay, RelayDeps } from "../chat/relay.ts";
import type { RoomId } from "../shared/ids.ts";
import type { Registry } from "./registry.ts";

type Changed = Extract<BusEvent, { type: "messages.changed" }>;

/** Of a room that somebody follows here. */
interface Followed {
  /** The last number told here. */
  told: number;
  /** The highest number that the database was found to have. */
  head: number;
  /** Since when that is more than was told; null while it is not. Milliseconds. */
  behindSince: number | null;
  /** Numbers that this node has given itself, and not told yet. */
  own: number[];
}

export function watchRelay(registry: Registry, createRelay: (deps: RelayDeps) => Promise<Relay>) {
  const rooms = new Map<RoomId, Followed>();
  let polledAt: number | null = null;
  let now = () => 0;

  const told = registry.counter(
    {
      name: "echochat_changes_told_total",
      help: "Changes told to the readers of this node: written here, heard from another node, or read from the database.",
      labels: ["source"],
    },
    [["own"], ["hint"], ["database"]],
  );
  const behind = () => [...rooms.values()].filter(({ behindSince }) => behindSince !== null);
  registry.reading(
    "gauge",
    {
      name: "echochat_head_lag_seconds",
      help: "For how long the room that is furthest behind has been seen behind the database's last number.",
    },
    () => Math.max(0, ...behind().map(({ behindSince }) => (now() - (behindSince ?? now())) / 1000)),
  );
  registry.reading(
    "gauge",
    {
      name: "echochat_head_lag_changes",
      help: "Changes that the database was seen to have and this node has not told yet, in all rooms followed here.",
    },
    () => behind().reduce((sum, { head, told: reached }) => sum + head - reached, 0),
  );
  registry.reading(
    "gauge",
    {
      name: "echochat_head_poll_age_seconds",
      help: "Time since the database last said what the last numbers are; they are asked for every few seconds.",
    },
    () => (polledAt === null ? 0 : (now() - polledAt) / 1000),
  );

  function count(event: BusEvent): void {
    if (event.type === "room.removed") rooms.delete(event.roomId);
    if (event.type !== "messages.changed") return;
    const room = rooms.get(event.roomId);
    const own = room ? ownOf(room, event) : event.changes.length;
    told.add(["own"], own);
    // Only what was read comes with a list of the messages that are new in it.
    told.add([event.fresh ? "database" : "hint"], event.changes.length - own);
    if (!room) return;
    room.told = Math.max(room.told, event.to);
    if (room.told >= room.head) room.behindSince = null;
  }

  function compare(heads: ReadonlyMap<RoomId, number>): void {
    polledAt = now();
    for (const [id, head] of heads) {
      const room = rooms.get(id);
      if (!room) continue;
      // A number that was never given, from before the database was restored, is forgotten with it.
      room.head = head;
      room.behindSince = head > room.told ? (room.behindSince ?? now()) : null;
    }
  }

  return async (deps: RelayDeps): Promise<Relay> => {
    ({ now } = deps);
    polledAt = now();
    const { local, store } = deps;
    const relay = await createRelay({
      ...deps,
      local: {
        ...local,
        publish(event) {
          count(event);
          local.publish(event);
        },
      },
      store: {
        changesSince: store.changesSince,
        async heads(asked) {
          const heads = await store.heads(asked);
          compare(heads);
          return heads;
        },
      },
    });
    return {
      ...relay,
      publish(event) {
        if (event.type === "messages.changed")
          rooms.get(event.roomId)?.own.push(...event.changes.map(({ rev }) => rev));
        relay.publish(event);
      },
      serve(place: RoomPlace, rev: number) {
        const reached = relay.serve(place, rev);
        if (!rooms.has(place.id))
          rooms.set(place.id, { told: reached, head: reached, behindSince: null, own: [] });
        return reached;
      },
      async poll(served) {
        const kept = new Set(served.map(({ id }) => id));
        for (const id of rooms.keys()) if (!kept.has(id)) rooms.delete(id);
        await relay.poll(served);
      },
    };
  };
}

/** How many of the changes were written on this node. */
function ownOf(room: Followed, { to, changes }: Changed): number {
  if (room.own.length === 0) return 0;
  const own = new Set(room.own);
  room.own = room.own.filter((rev) => rev > to);
  return changes.filter(({ rev }) => own.has(rev)).length;
}
