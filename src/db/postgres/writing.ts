/**
 * Writing messages: one transaction for a whole batch, in two round trips, because other nodes wait for its rooms meanwhile.
 * Everybody locks in one order, and whatever ends a membership or closes a room locks the room first.
 */
import type { Join, Write, Written } from "../../chat/ports.ts";
import type { MessageId, RoomId } from "../../shared/ids.ts";
import { writeBatch } from "../writing.ts";
import { openLedger, type Gather } from "./ledger.ts";
import { openLine, within, type Line } from "./line.ts";
import type { PostgresDatabase } from "./open.ts";
import { isConflict, isConnectionLost, isTaken } from "./failures.ts";
import { createNeighbours, type Neighbours } from "./neighbours.ts";

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
  write(batch: readonly Write[], join?: Join): Promise<Written[]>;
  /** When what is on its way has been written. */
  close(): Promise<void>;
}

/** One batch at a time, over a connection of its own. */
export function createWriting(db: PostgresDatabase): Writing {
  let line: Line | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const neighbours = createNeighbours();

  async function openedLine(): Promise<Line> {
    if (!line?.isOpen()) line = await openLine(db, { settings: SETTINGS });
    return line;
  }

  async function persist(work: Work): Promise<Written[]> {
    const end = performance.now() + PERSISTENCE;
    for (let pause: number = PAUSES[0]; ; pause = Math.min(2 * pause, PAUSES[1])) {
      try {
        const open = await openedLine();
        return await within(PATIENCE, open, attempt(open, work, neighbours));
      } catch (error) {
        if (isConnectionLost(error)) line?.cut();
        else if (!isRolledBack(error)) throw error;
        if (performance.now() > end) throw error;
        if (!isRolledBack(error)) await Bun.sleep(pause);
      }
    }
  }

  return {
    write(batch, join = () => []) {
      const writing = last.then(() => persist({ batch: [...batch], join, doubt: null }));
      last = writing.catch(() => {});
      return writing;
    },
    async close() {
      await last;
      line?.cut();
    },
  };
}

/** A batch, however many attempts it takes. */
interface Work {
  batch: Write[];
  join: Join;
  /** What the last attempt that was told to commit has to answer, if it did: a connection may be lost before it says so. */
  doubt: Written[] | null;
}

async function attempt({ sql }: Line, work: Work, neighbours: Neighbours): Promise<Written[]> {
  const { batch, join, doubt } = work;
  const ids = batch.flatMap((write) => (write.kind === "post" ? [] : [write.id]));
  const places =
    ids.length === 0
      ? []
      : await sql<{ id: MessageId; room: RoomId }[]>`
    SELECT id, room_id AS room FROM messages WHERE id = ANY(${ids}::bigint[])`;
  // An answer in doubt is that of a certain batch.
  const mayGather = neighbours.areBusy() && !doubt;
  const gather: Gather | null = mayGather ? (fits) => void batch.push(...join(fits)) : null;
  try {
    const ledger = await openLedger(sql, batch, new Map(places.map(({ id, room }) => [id, room])), gather);
    neighbours.found(ledger.heads.before);
    // Its rooms are ours now, so it is over. Its number would not tell: after a crash numbers are given again.
    const before = doubt && ledger.holds(doubt) ? doubt : null;
    const written = before ?? writeBatch(ledger, batch);
    if (before || !ledger.isChanged()) {
      await sql`ROLLBACK`;
      return written;
    }
    work.doubt = written;
    await Promise.all([...ledger.store(), sql`COMMIT`]);
    neighbours.left(ledger.heads.after);
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
