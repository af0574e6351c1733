/**
 * The bus of one of many nodes: tells the listeners here what was written through the others too, each room's changes in
 * their order and without a gap. What the others say is a hint, and the database is asked for what the hints leave out.
 * See docs/decisions/hints-and-heads.md.
 */
import { RESUME_MAX_CHANGES } from "../shared/limits.ts";
import type { RoomId } from "../shared/ids.ts";
import type { Changes, MessageView } from "../shared/protocol.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { frameSize } from "./feed.ts";
import type { Bus, BusEvent, MessageStore, Nodes, RoomPlace, Word } from "./ports.ts";

export interface Relay extends Bus {
  /** Asks the database for what has been missed in these rooms, and forgets all others. */
  poll(rooms: readonly RoomPlace[]): Promise<void>;
}

export interface RelayDeps {
  /** The bus of this process. */
  local: Bus;
  store: Pick<MessageStore, "changesSince" | "heads">;
  /** Null where the nodes can tell each other nothing. */
  nodes: Nodes | null;
  after: (milliseconds: number, task: () => void) => void;
  /** Milliseconds, from any moment. */
  now: () => number;
  onFailure: (error: unknown) => void;
}

/** How long the hint before one that has come may be on its way. Milliseconds. */
const HINT_PATIENCE = 5;

/**
 * In a room that was written in here so short a time ago, what comes from others waits so long for the next of our own, to
 * be told with it: two nodes that write in turn would send their readers twice as many frames as one. Milliseconds.
 */
const BUSY_TIME = 20;
const BUSY_PATIENCE = 10;

/** Newly followed rooms are looked at together. Milliseconds. */
const GATHERING = 1;

/** More text than this is not sent around: whoever needs it reads it. UTF-16 units. */
const HINT_TEXT_MAX = 32_000;

/** Stretches of a room that are kept while one in front of them is missing. */
const WAITING_MAX = 64;

/** Of a room that somebody follows here. */
interface Served extends RoomPlace {
  /** The last number told here. */
  told: number;
  /** The highest number heard of. */
  known: number;
  /** What has come too early, in the order of coming. */
  waiting: Stretch[];
  isWaiting: boolean;
  isHolding: boolean;
  isReading: boolean;
  /** When something that was written here came last. Milliseconds. */
  wroteAt: number;
}

type Stretch = Omit<Changes, "room"> & { isOwn: boolean };
type Changed = Extract<BusEvent, { type: "messages.changed" }>;
type Heard = Omit<Stretch, "changes"> & { changes: MessageView[] | null };
type News = Pick<Stretch, "to" | "changes">;

export function createRelay({ local, store, nodes, after, now, onFailure }: RelayDeps): Relay {
  const served = new Map<RoomId, Served>();
  const unsure: RoomPlace[] = [];
  let isFailing = false;
  let areRightsKnown = true;

  local.subscribe((event) => {
    if (event.type === "rights.unheard") areRightsKnown = false;
    if (event.type === "rights.known") {
      areRightsKnown = true;
      for (const room of served.values()) if (room.known > room.told) waitForHint(room);
    }
  });

  nodes?.listen((word) => {
    if (word.type === "typing" && !isClosed(word.room)) local.publish(word);
    if (word.type !== "messages.changed") return;
    const room = served.get(word.roomId);
    if (room) hear(room, { ...word, isOwn: false });
  });

  function publish(event: BusEvent): void {
    if (event.type !== "messages.changed") {
      if (event.type === "room.removed") served.delete(event.roomId);
      return local.publish(event);
    }
    const room = served.get(event.roomId);
    if (room) hear(room, { ...event, isOwn: true });
    else local.publish(event);
    nodes?.tell(asHint(event));
  }

  function hear(room: Served, { from, to, changes, isOwn }: Heard): void {
    if (to <= room.told) return;
    room.known = Math.max(room.known, to);
    if (isOwn) room.wroteAt = now();
    if (changes && room.waiting.length < WAITING_MAX) room.waiting.push({ from, to, changes, isOwn });
    if (room.isReading) return;
    if (changes && !room.waiting.some((stretch) => stretch.isOwn) && now() - room.wroteAt < BUSY_TIME)
      return waitForOwn(room);
    tellWaiting(room);
    if (room.known === room.told) return;
    if (changes) waitForHint(room);
    else read(room);
  }

  function waitForOwn(room: Served): void {
    if (room.isHolding) return;
    room.isHolding = true;
    after(BUSY_PATIENCE, () => {
      room.isHolding = false;
      if (room.isReading) return;
      tellWaiting(room);
      if (room.known > room.told) waitForHint(room);
    });
  }

  function waitForHint(room: Served): void {
    if (room.isWaiting) return;
    room.isWaiting = true;
    after(HINT_PATIENCE, () => {
      room.isWaiting = false;
      if (room.isReading) return;
      tellWaiting(room);
      if (room.known > room.told) read(room);
    });
  }

  /** Somebody who follows it may have been put out elsewhere, and nobody has told us. */
  const isClosed = (room: string) => !areRightsKnown && room !== PUBLIC_ROOM;

  /** Everything that follows what has been told, in as few frames as take it. */
  function tellWaiting(room: Served): void {
    if (!mayTell(room)) return;
    let news: News = { to: room.told, changes: [] };
    for (let next; (next = room.waiting.find(({ from, to }) => from <= news.to && to > news.to));) {
      const more = next.changes.filter(({ rev }) => rev > news.to);
      const together = [...news.changes, ...more];
      if (news.changes.length > 0 && frameSize(together) < together.length) {
        tell(room, news);
        news = { to: next.to, changes: more };
      } else news = { to: next.to, changes: together };
    }
    if (news.to > room.told) tell(room, news);
    room.waiting = room.waiting.filter(({ to }) => to > room.told);
  }

  function tell(room: Served, { to, changes }: News, news?: readonly MessageView[]): void {
    const from = room.told;
    room.told = to;
    const unheard = changes.filter(({ rev }) => rev > from);
    const numbers = { type: "messages.changed", roomId: room.id, room: room.slug, from, to } as const;
    local.publish({ ...numbers, changes: unheard, ...(news && { fresh: news }) });
  }

  /** One reading a room at a time; however much is missing, it is told in frames, with turns for others in between. */
  function read(room: Served): void {
    if (room.isReading || !mayTell(room)) return;
    room.isReading = true;
    readOn(room)
      .then(succeeded, failed)
      .finally(() => (room.isReading = false));
  }

  async function readOn(room: Served): Promise<void> {
    while (room.known > room.told && mayTell(room)) {
      const before = room.told;
      const since = await store.changesSince(room.id, before, RESUME_MAX_CHANGES);
      if (!mayTell(room)) return;
      await tellInFrames(room, since);
      tellWaiting(room);
      // A hint of numbers that the database does not have: from before it was restored.
      if (room.told === before) room.known = before;
    }
  }

  async function tellInFrames(
    room: Served,
    { to, changes }: { to: number; changes: MessageView[] },
  ): Promise<void> {
    const unheard = [...changes];
    // By their places, and at them: whoever hears nothing of edits hears of a message that has been edited since.
    const news = changes
      .filter(({ seq, deletedAt }) => seq > room.told && deletedAt == null)
      .toSorted((one, other) => one.seq - other.seq);
    while (room.told < to && mayTell(room)) {
      const frame = unheard.splice(0, frameSize(unheard));
      const end = unheard.length === 0 ? to : (frame.at(-1)?.rev ?? to);
      const upTo = news.findIndex(({ seq }) => seq > end);
      tell(room, { to: end, changes: frame }, news.splice(0, upTo < 0 ? news.length : upTo));
      if (room.told < to) await new Promise<void>((resolve) => after(0, resolve));
    }
  }

  /** What waits for its time, or is being read, may outlast its room, and another may be served in its place. */
  const mayTell = (room: Served) => served.get(room.id) === room && !isClosed(room.slug);

  async function look(rooms: readonly RoomPlace[]): Promise<void> {
    if (rooms.length === 0) return;
    const heads = await store.heads(rooms.map(({ id }) => id));
    for (const { id } of rooms) {
      const [room, head] = [served.get(id), heads.get(id)];
      if (!room || head === undefined) continue;
      room.known = Math.max(room.known, head);
      // Its hint may be on its way, or the very write that has just been committed here.
      if (room.known > room.told) waitForHint(room);
    }
  }

  function forget(roomId: RoomId): void {
    served.delete(roomId);
    local.publish({ type: "room.unserved", roomId });
  }

  const succeeded = () => void (isFailing = false);

  function failed(error: unknown): void {
    if (!isFailing) onFailure(error);
    isFailing = true;
  }

  return {
    publish,
    subscribe: local.subscribe,

    serve({ id, slug }, rev) {
      const room = served.get(id);
      if (room) {
        room.known = Math.max(room.known, rev);
        if (room.known > room.told) waitForHint(room);
        return room.told;
      }
      const idle = { isWaiting: false, isHolding: false, isReading: false };
      served.set(id, { id, slug, told: rev, known: rev, waiting: [], wroteAt: -Infinity, ...idle });
      // Something may have been written since `rev` was read, and its hint have come when nobody followed.
      if (unsure.push({ id, slug }) === 1)
        after(GATHERING, () => void look(unsure.splice(0)).then(succeeded, failed));
      return rev;
    },

    async poll(rooms) {
      const kept = new Set(rooms.map(({ id }) => id));
      for (const id of served.keys()) if (!kept.has(id)) forget(id);
      await look(rooms).then(succeeded, failed);
    },
  };
}

function asHint({ type, roomId, room, from, to, changes }: Changed): Word {
  const text = changes.reduce((sum, message) => sum + message.text.length, 0);
  return { type, roomId, room, from, to, changes: text > HINT_TEXT_MAX ? null : changes };
}
