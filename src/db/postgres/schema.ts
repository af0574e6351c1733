/** The tables as PostgreSQL has them. */
import {
  bigint,
  bigserial,
  boolean,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { Kit } from "../kit.ts";
import { createTables } from "../tables.ts";

/** Numbers are of eight bytes, which JavaScript reads exactly up to 2^53. */
const KIT: Kit = {
  table: pgTable,
  text,
  id: () => bigserial({ mode: "number" }).primaryKey(),
  whole: ((name = "") => bigint(name, { mode: "number" })) as Kit["whole"],
  flag: boolean,
  index,
  uniqueIndex,
  primaryKey,
};

export const { users, sessions, rooms, members, invitations, messages, audit, origins, installation } =
  createTables(KIT);
