/** The tables as SQLite has them. */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Kit } from "../kit.ts";
import { createTables } from "../tables.ts";

/** Builders of both dialects are used alike, and only their types differ. */
const KIT = {
  table: sqliteTable,
  text,
  id: () => integer().primaryKey({ autoIncrement: true }),
  whole: integer,
  flag: (name: string) => integer(name, { mode: "boolean" }),
  index,
  uniqueIndex,
  primaryKey,
} as unknown as Kit;

export const { users, sessions, rooms, members, invitations, messages, audit, origins, installation } =
  createTables(KIT);
