/** What tables are made of. Each dialect has a kit of its own; the types are PostgreSQL's for both. */
import type {
  PgBigInt53BuilderInitial,
  PgBigSerial53BuilderInitial,
  PgBooleanBuilderInitial,
} from "drizzle-orm/pg-core";
import type { index, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";

export interface Kit {
  table: typeof pgTable;
  text: typeof text;
  /** A primary key that rises. */
  id(): ReturnType<PgBigSerial53BuilderInitial<"">["primaryKey"]>;
  /** A whole number. */
  whole(): PgBigInt53BuilderInitial<"">;
  whole<Name extends string>(name: Name): PgBigInt53BuilderInitial<Name>;
  flag<Name extends string>(name: Name): PgBooleanBuilderInitial<Name>;
  index: typeof index;
  uniqueIndex: typeof uniqueIndex;
  primaryKey: typeof primaryKey;
}
