import type { Standing } from "../copy/versions.ts";
import type { Numbers } from "./numbers.ts";

/** What there is to be said of a database. */
export interface Examined {
  /** Such as "PostgreSQL 16.3, UTF8". */
  engine: string;
  /** Settings by which acknowledged messages may be lost, and what to do. */
  careless: string[];
  /** What it has seen of our migrations; `empty`: the first start makes the tables. */
  standing: Standing | "empty";
  /** How far its time is ahead of ours; of a file it is the newest message's, and null without one. Milliseconds. */
  ahead: number | null;
  /** Null where the tables are not those of this version. */
  numbers: Numbers | null;
}

/** The message is the whole story. */
export class Unexamined extends Error {}
