/** The stores of a SQLite file. */
import { createOrdinaryStores, type DatabaseStores } from "../stores.ts";
import { isLost, isUnavailable } from "./failures.ts";
import { createMessageStore } from "./messages.ts";
import type { SqliteDatabase } from "./open.ts";
import { createProbe } from "./probe.ts";
import { createRoomReading } from "./rooms.ts";
import { createMarkSeen, createSource } from "./source.ts";
import { watchOtherWriters } from "./watch.ts";

export function createSqliteStores(db: SqliteDatabase): DatabaseStores {
  const source = createSource(db);
  return {
    ...createOrdinaryStores(source, { ...createRoomReading(db), markSeen: createMarkSeen(source) }),
    messages: createMessageStore(db),
    probe: createProbe(db),
    watch: (tell) => watchOtherWriters(db, () => tell({ type: "accounts.reread" })),
    isLost,
    isUnavailable,
    close: async () => db.$client.close(),
  };
}
