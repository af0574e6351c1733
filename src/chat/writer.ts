/**
 * Group commit: whatever is sent within one turn of the event loop shares one transaction, and with it one wait for the
 * disk. What arrives while a transaction is on its way shares the next one, or this one while that has to wait. See
 * docs/decisions/one-commit-a-turn.md.
 */
import type { RoomId, SessionId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import {
  StorageLost,
  type Bus,
  type Join,
  type MessageStore,
  type RoomPlace,
  type Write,
  type Written,
} from "./ports.ts";
import { Refused } from "./refusal.ts";

export interface Stored {
  room: RoomPlace;
  message: MessageView;
  /** Nothing has changed: an earlier attempt had done it. */
  repeat: boolean;
}

export interface Writer {
  /**
   * In the order of the calls. Resolves after the commit, when everyone who serves readers has been told; refuses what
   * may not be, and with `unavailable` when the store fails: then nothing of the batch is stored, or nobody can say.
   * A session under which somebody is refused `login_required` is over for everything here before they know.
   */
  write(write: Write): Promise<Stored>;
  /** Resolves when nothing that has been sent by now is on its way, whatever comes meanwhile. */
  settled(): Promise<void>;
}

export interface WriterDeps {
  store: Pick<MessageStore, "write">;
  bus: Bus;
  /** Runs a task when the present turn has taken in what has arrived. */
  afterTurn: (task: () => void) => void;
  /** After `StorageLost` nobody is told anything about what was being written. */
  onFailure: (error: unknown) => void;
}

/** One transaction takes no more than this, so that it stays short; and no more text, which all becomes one frame. */
const BATCH_MAX = 256;
const BATCH_TEXT_MAX = 100_000;

interface Waiting {
  write: Write;
  resolve(stored: Stored): void;
  reject(error: unknown): void;
}

export function createWriter({ store, bus, afterTurn, onFailure }: WriterDeps): Writer {
  const waiting: Waiting[] = [];
  let isBusy = false;
  let [taken, finished] = [0, 0];
  /** Who waits until so many of those taken are finished, the fewest first. */
  const settling: { until: number; resolve(): void }[] = [];

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize(waiting));
      await commit(batch);
      finished += batch.length;
      while ((settling[0]?.until ?? Infinity) <= finished) settling.shift()?.resolve();
    }
    isBusy = false;
  }

  /** Whoever joins is of the batch from then on, whatever comes of it. */
  function joining(batch: Waiting[]): Join {
    return (fits) => {
      const room = batchSize([...batch, ...waiting]) - batch.length;
      const end = waiting.findIndex(({ write }, at) => at >= room || !fits(write));
      const joined = waiting.splice(0, end === -1 ? waiting.length : end);
      batch.push(...joined);
      return joined.map(({ write }) => write);
    };
  }

  async function commit(batch: Waiting[]): Promise<void> {
    let written: Written[];
    try {
      written = await store.write(
        batch.map(({ write }) => write),
        joining(batch),
      );
    } catch (error) {
      onFailure(error);
      if (!(error instanceof StorageLost)) for (const { reject } of batch) reject(new Refused("unavailable"));
      return;
    }
    tell(written);
    for (const [i, { write, resolve, reject }] of batch.entries()) {
      const outcome = written[i] as Written;
      if (outcome.outcome === "refused") {
        if (outcome.code === "login_required") signOut(write.session);
        reject(new Refused(outcome.code));
      } else
        resolve({ room: outcome.room, message: outcome.message, repeat: outcome.outcome === "repeated" });
    }
  }

  /** The word of whoever has ended it may come later. */
  function signOut(session: SessionId): void {
    bus.publish({ type: "sessions.ended", sessions: [session] });
  }

  /** One event a room: the numbers that a room has given within a transaction follow each other. */
  function tell(written: readonly Written[]): void {
    const byRoom = new Map<RoomId, { room: RoomPlace; changes: MessageView[] }>();
    for (const done of written) {
      if (done.outcome !== "stored") continue;
      const { room, message } = done;
      const told = byRoom.get(room.id);
      if (told) told.changes.push(message);
      else byRoom.set(room.id, { room, changes: [message] });
    }
    for (const [roomId, { room, changes }] of byRoom) {
      const [first, last] = [changes[0] as MessageView, changes.at(-1) as MessageView];
      const numbers = { from: first.rev - 1, to: last.rev };
      bus.publish({ type: "messages.changed", roomId, room: room.slug, ...numbers, changes });
    }
  }

  return {
    write(write) {
      const { promise, resolve, reject } = Promise.withResolvers<Stored>();
      waiting.push({ write, resolve, reject });
      taken++;
      if (!isBusy) {
        isBusy = true;
        afterTurn(() => void drain());
      }
      return promise;
    },
    settled: () =>
      new Promise((resolve) => {
        if (finished === taken) resolve();
        else settling.push({ until: taken, resolve });
      }),
  };
}

/** How many of those who wait go together: always the first. */
function batchSize(waiting: readonly Waiting[]): number {
  let text = 0;
  const end = waiting.findIndex(({ write }, at) => {
    text += write.kind === "remove" ? 0 : write.text.length;
    return at > 0 && (at >= BATCH_MAX || text > BATCH_TEXT_MAX);
  });
  return end === -1 ? waiting.length : end;
}
