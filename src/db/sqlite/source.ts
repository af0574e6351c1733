/** The ordinary queries' way into a SQLite file. */
import { eq } from "drizzle-orm";
import type { AccountStore } from "../../accounts/ports.ts";
import type { Queries, Source, Steps } from "../source.ts";
import { isTaken } from "./failures.ts";
import type { SqliteDatabase } from "./open.ts";
import * as tables from "./schema.ts";

/** A transaction that writes takes its turn at once: one that read first could find that another process has written. */
const IMMEDIATE = { behavior: "immediate" } as const;

export function createSource(db: SqliteDatabase): Source {
  return {
    db: typed(db),
    tables,
    transact: async (steps) => db.transaction((tx) => drive(steps(typed(tx))), IMMEDIATE),
    // Nobody else writes meanwhile, in whatever room.
    *holdRooms() {},
    isTaken,
  };
}

export function createMarkSeen({ tables: { users }, transact }: Source): AccountStore["markSeen"] {
  return (seen) =>
    transact(function* (tx) {
      for (const [id, lastSeenAt] of seen) yield tx.update(users).set({ lastSeenAt }).where(eq(users.id, id));
    });
}

function typed(db: object): Queries {
  return db as Queries;
}

/** To the end without a pause. */
function drive<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next((step.value as unknown as Query).all());
  return step.value;
}

/** As the dialect makes them; those that give no rows give none. */
interface Query {
  all(): unknown[];
}
