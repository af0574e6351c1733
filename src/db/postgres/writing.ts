/**
 * Writing messages: one transaction for a whole batch, in two round trips, because other nodes wait for its rooms meanwhile.
 * Everybody locks in one order, and whatever ends a membership or closes a room locks the room first.
 */
import type { Write, Written } from "../../chat/ports.ts";
import type { MessageId, RoomId } from "../../shared/ids.ts";
import { writeBatch } from "../writing.ts";
import { openLedger } from "./ledger.ts";
import { openLine, within, type Line } from "./line.ts";
import type { PostgresDatabase } from "./open.ts";
import { isConflict, isConnectionLost, isTaken } from "./failures.ts";

/** A batch is tried again for this long: a server that is started anew is back by then. Milliseconds. */
const PERSISTENCE = 5_000;

/** Between two attempts over lost connections, milliseconds: each time twice as long, up to the second. */
const PAUSES = [25, 500] as const;

/** An attempt that hears nothing for so long is given up. Milliseconds. */
const PATIENCE = 10_000;

const SETTINGS = {
  // A commit is on stable storage before anyone is told of it.
  synchronous_commit: "on",
  // A node that stands still in mid-write holds its rooms no longer than this.
  idle_in_transaction_session_timeout: "2s",
};

export interface Writing {
  write(batch: readonly Write[]): Promise<Written[]>;
  /** When what is on its way has been written. */
  close(): Promise<void>;
}

/** One batch at a time, over a connection of its own. */
export function createWriting(db: PostgresDatabase): Writing {
  let line: Line | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function openedLine(): Promise<Line> {
    if (!line?.isOpen()) line = await openLine(db, { settings: SETTINGS });
    return line;
  }

  async function persist(batch: readonly Write[]): Promise<Written[]> {
    const end = performance.now() + PERSISTENCE;
    const doubt: Doubt = { written: null };
    for (let pause: number = PAUSES[0]; ; pause = Math.min(2 * pause, PAUSES[1])) {
      try {
        const open = await openedLine();
        return await within(PATIENCE, open, attempt(open, batch, doubt));
      } catch (error) {
        if (isConnectionLost(error)) line?.cut();
        else if (!isRolledBack(error)) throw error;
        if (performance.now() > end) throw error;
        if (!isRolledBack(error)) await Bun.sleep(pause);
      }
    }
  }

  return {
    write(batch) {
      const writing = last.then(() => persist(batch));
      last = writing.catch(() => {});
      return writing;
    },
    async close() {
      await last;
      line?.cut();
    },
  };
}

/** What the last attempt that was told to commit has to answer, if it did: a connection may be lost before it says so. */
interface Doubt {
  written: Written[] | null;
}

async function attempt({ sql }: Line, batch: readonly Write[], doubt: Doubt): Promise<Written[]> {
  const ids = batch.flatMap((write) => (write.kind === "post" ? [] : [write.id]));
  const places =
    ids.length === 0
      ? []
      : await sql<{ id: MessageId; room: RoomId }[]>`
    SELECT id, room_id AS room FROM messages WHERE id = ANY(${ids}::bigint[])`;
  try {
    const ledger = await openLedger(sql, batch, new Map(places.map(({ id, room }) => [id, room])));
    // Its rooms are ours now, so it is over. Its number would not tell: after a crash numbers are given again.
    const before = doubt.written && ledger.holds(doubt.written) ? doubt.written : null;
    const written = before ?? writeBatch(ledger, batch);
    if (before || !ledger.isChanged()) {
      await sql`ROLLBACK`;
      return written;
    }
    doubt.written = written;
    await Promise.all([...ledger.store(), sql`COMMIT`]);
    return written;
  } catch (error) {
    if (!isConnectionLost(error)) await sql`ROLLBACK`;
    throw error;
  }
}

/** Others were in the way, or have used a key meanwhile: nothing of it was done. */
function isRolledBack(error: unknown): boolean {
  return isConflict(error) || isTaken(error);
}
