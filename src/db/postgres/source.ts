/** The ordinary queries' way into PostgreSQL. */
import { asc } from "drizzle-orm";
import type { AccountStore } from "../../accounts/ports.ts";
import type { Queries, Source, Steps } from "../source.ts";
import { isConflict, isTaken } from "./failures.ts";
import type { PostgresDatabase } from "./open.ts";
import * as tables from "./schema.ts";

/** How often a transaction is tried that others have got in the way of. */
const ATTEMPTS = 5;

export function createSource(db: PostgresDatabase): Source {
  async function transact<T>(steps: (tx: Queries) => Steps<T>, attempt = 1): Promise<T> {
    try {
      return await db.transaction((tx) => drive(steps(tx)));
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      return transact(steps, attempt + 1);
    }
  }

  return {
    db,
    tables,
    transact: (steps) => transact(steps),
    // In one order, so that nobody waits for somebody who waits for them.
    *holdRooms(tx, which) {
      const ids = tx.select({ id: tables.rooms.id }).from(tables.rooms).where(which);
      yield ids.orderBy(asc(tables.rooms.id)).for("no key update");
    },
    isTaken,
  };
}

/** One statement, which takes the accounts in the order that all take them in. */
export function createMarkSeen({ $client: sql }: PostgresDatabase): AccountStore["markSeen"] {
  return async (seen) => {
    const [ids, times] = [[...seen.keys()], [...seen.values()]];
    await sql`
      UPDATE users SET last_seen_at = news.at
      FROM (
        SELECT u.id, s.at FROM users u JOIN unnest(${ids}::bigint[], ${times}::bigint[]) AS s (id, at) ON s.id = u.id
        ORDER BY u.id FOR NO KEY UPDATE OF u
      ) AS news
      WHERE users.id = news.id`;
  };
}

async function drive<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done) step = steps.next(await step.value);
  return step.value;
}
