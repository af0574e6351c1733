/** What a copy carries: every table, in an order in which no row points to one that is not there yet. */
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import {
  audit,
  installation,
  invitations,
  members,
  messages,
  origins,
  rooms,
  sessions,
  users,
} from "../postgres/schema.ts";

export interface Column {
  name: string;
  type: "bigint" | "boolean" | "text";
}

export interface Table {
  name: string;
  columns: readonly Column[];
  /** What tells its rows apart, and orders them. */
  key: readonly Column[];
  /** Gives its rows rising ids. */
  isCounted: boolean;
}

export type Value = string | number | boolean | null;

export const TABLES: readonly Table[] = [
  users,
  rooms,
  invitations,
  members,
  messages,
  sessions,
  audit,
  origins,
  installation,
].map(describe);

/** What both databases hold for the same row; undefined where PostgreSQL cannot. SQLite keeps anything in any column. */
export function valueOf({ type }: Column, stored: unknown): Value | undefined {
  if (stored === null) return null;
  switch (type) {
    case "bigint":
      return typeof stored === "number" && Number.isSafeInteger(stored) ? stored : undefined;
    case "boolean":
      return stored === 0 || stored === 1 ? stored === 1 : undefined;
    case "text":
      return typeof stored === "string" && !stored.includes("\0") ? stored : undefined;
  }
}

function describe(table: PgTable): Table {
  const { name, columns, primaryKeys } = getTableConfig(table);
  const pair = primaryKeys.flatMap((some) => some.columns.map((column) => column.name));
  const key = columns.filter((column) => column.primary || pair.includes(column.name));
  return {
    name,
    columns: columns.map(columnOf),
    key: key.map(columnOf),
    isCounted: columns.some((column) => column.getSQLType() === "bigserial"),
  };
}

function columnOf(column: { name: string; getSQLType(): string }): Column {
  const type = column.getSQLType().replace("bigserial", "bigint");
  if (type === "bigint" || type === "boolean" || type === "text") return { name: column.name, type };
  throw new Error(`${column.name}: no copy knows the type ${type}`);
}
