/** The last changes of each room that somebody comes back to: a storm of reconnects costs a query a room, not a reader. */
import type { RoomId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import type { Bus, BusEvent, MessageStore, RoomPlace } from "./ports.ts";

/** Every change after `from`, up to and including `to`, in the order of their numbers; of one message only the last. */
interface Stretch {
  from: number;
  to: number;
  changes: MessageView[];
}

export interface Recent {
  /** Null when the store has to be asked: the stretch kept does not reach back, or forward, to this number. */
  since(room: RoomPlace, rev: number): Promise<Pick<Stretch, "to" | "changes"> | null>;
}

/** Changes kept for a room, and rooms kept. */
const KEPT = 256;
const ROOMS_KEPT = 64;

export function createRecent({
  store,
  bus,
}: {
  store: Pick<MessageStore, "changesSince" | "heads">;
  bus: Bus;
}): Recent {
  /** The room asked for last is the last. */
  const stretches = new Map<RoomId, Stretch>();
  const loading = new Map<RoomId, Promise<Stretch | null>>();

  bus.subscribe((event) => {
    switch (event.type) {
      case "messages.changed":
        loading.delete(event.roomId);
        return extend(event);
      case "room.removed":
      case "room.unserved":
        return forget(event.roomId);
      case "account.changed":
      case "accounts.reread":
        // Names and pictures stand in the messages.
        stretches.clear();
        return loading.clear();
      case "sessions.ended":
      case "membership.ended":
      case "rights.unheard":
      case "rights.known":
      case "room.changed":
      case "typing":
    }
  });

  function forget(room: RoomId): void {
    stretches.delete(room);
    loading.delete(room);
  }

  function extend({ roomId, from, to, changes }: Extract<BusEvent, { type: "messages.changed" }>): void {
    const stretch = stretches.get(roomId);
    if (!stretch) return;
    // It was read up to there, when not everything had been told yet.
    if (to <= stretch.to) return;
    if (from > stretch.to) return forget(roomId);
    stretch.changes.push(...changes.filter(({ rev }) => rev > stretch.to));
    stretch.to = to;
    if (changes.some(({ rev, seq }) => rev !== seq)) stretch.changes = lastOfEach(stretch.changes);
    const excess = stretch.changes.splice(0, Math.max(0, stretch.changes.length - KEPT));
    stretch.from = excess.at(-1)?.rev ?? stretch.from;
  }

  async function read({ id }: RoomPlace): Promise<Stretch | null> {
    const head = (await store.heads([id])).get(id);
    if (head === undefined) return null;
    const from = Math.max(0, head - KEPT);
    const { to, changes } = await store.changesSince(id, from, 2 * KEPT);
    return { from, to, changes };
  }

  /**
   * However many ask at once, it is read once; what has changed meanwhile makes it worthless. It is kept for as long as
   * everything that follows is told here.
   */
  function load(room: RoomPlace): Promise<Stretch | null> {
    const running = loading.get(room.id);
    if (running) return running;
    const reading: Promise<Stretch | null> = read(room)
      .then((stretch) => {
        if (loading.get(room.id) !== reading || !stretch) return null;
        if (bus.serve(room, stretch.to) > stretch.to) return null;
        keep(room.id, stretch);
        return stretch;
      })
      .finally(() => void (loading.get(room.id) === reading && loading.delete(room.id)));
    loading.set(room.id, reading);
    return reading;
  }

  function keep(room: RoomId, stretch: Stretch): void {
    stretches.delete(room);
    stretches.set(room, stretch);
    if (stretches.size > ROOMS_KEPT) stretches.delete(stretches.keys().next().value as RoomId);
  }

  return {
    async since(room, rev) {
      const kept = stretches.get(room.id);
      if (kept) keep(room.id, kept);
      const stretch = kept ?? (await load(room));
      if (!stretch || rev < stretch.from || rev > stretch.to) return null;
      return { to: stretch.to, changes: stretch.changes.filter((message) => message.rev > rev) };
    },
  };
}

/** What a message said before is kept nowhere: its text may have been removed. */
function lastOfEach(changes: MessageView[]): MessageView[] {
  const last = new Map(changes.map(({ id, rev }) => [id, rev]));
  return changes.filter(({ id, rev }) => last.get(id) === rev);
}
