/** Copies an installation from a SQLite file into an empty PostgreSQL database, row for row. */
import { CopyRefused, CopyUndecided } from "./refused.ts";
import { openSource, type Source } from "./source.ts";
import { TABLES, type Table } from "./tables.ts";
import { createTally, type Total } from "./tally.ts";
import { openTarget, type Filling } from "./target.ts";

/** Places that are named where something cannot be copied. */
const NAMED = 10;

export interface CopyOptions {
  file: string;
  url: string;
  migrations: { sqlite: string; postgres: string };
  now: number;
  /** Calls it off; nothing is copied then. */
  signal: AbortSignal;
  tell: (progress: Progress) => void;
}

export interface Progress {
  act: "reading" | "copying" | "comparing";
  table: string;
  rows: number;
}

export interface Copied {
  tables: readonly (Total & { name: string })[];
  /** Whether something was written to the file meanwhile, which the copy does not have. */
  hasMovedOn: boolean;
}

export async function copyInstallation(options: CopyOptions): Promise<Copied> {
  const { file, url, migrations, now, signal } = options;
  const source = openSource(file, migrations.sqlite);
  try {
    const target = await openTarget(url, migrations.postgres, now);
    try {
      const totals = await examine(source, options);
      await target.fill((filling) => fill(source, filling, totals, options), signal);
      const tables = TABLES.map((table) => ({ name: table.name, ...totalOf(totals, table) }));
      return { tables, hasMovedOn: source.hasMovedOn() };
    } finally {
      await target.close();
    }
  } catch (error) {
    if (!signal.aborted || error instanceof CopyUndecided) throw error;
    throw new CopyRefused("It was called off.", { cause: error });
  } finally {
    source.close();
  }
}

type Totals = ReadonlyMap<Table, Total>;

/** Reads everything once, so that whatever cannot be copied is known before the first row is. */
async function examine(source: Source, { signal, tell }: CopyOptions): Promise<Totals> {
  const wrong = source.wrongRooms();
  if (wrong.length > 0) throw new CopyRefused(`The numbers of rooms are not in order: ${named(wrong)}.`);
  const totals = new Map<Table, Total>();
  const unfit: string[] = [];
  for (const table of TABLES) {
    const tally = createTally();
    for (const rows of source.chunks(table, (place) => unfit.push(place))) {
      tell({ act: "reading", table: table.name, rows: tally.add(rows) });
      await aTurn(signal);
    }
    totals.set(table, tally.total());
  }
  if (unfit.length > 0)
    throw new CopyRefused(
      `PostgreSQL cannot hold these values (a NUL character, a number beyond 2^53 or something of another type): ${named(unfit)}.`,
    );
  return totals;
}

async function fill(source: Source, filling: Filling, totals: Totals, { tell }: CopyOptions): Promise<void> {
  for (const table of TABLES) {
    let done = 0;
    for (const rows of source.chunks(table, () => {})) {
      await filling.insert(table, rows);
      tell({ act: "copying", table: table.name, rows: (done += rows.length) });
    }
  }
  for (const table of TABLES) await compare(table, filling, totalOf(totals, table), tell);
  for (const table of TABLES.filter(({ isCounted }) => isCounted))
    await filling.countFrom(table, source.lastId(table));
}

async function compare(
  table: Table,
  filling: Filling,
  read: Total,
  tell: CopyOptions["tell"],
): Promise<void> {
  const tally = createTally();
  for await (const rows of filling.chunks(table))
    tell({ act: "comparing", table: table.name, rows: tally.add(rows) });
  const written = tally.total();
  if (written.rows !== read.rows || written.hash !== read.hash)
    throw new CopyRefused(
      `The table ${table.name} differs in the copy: ${read.rows} rows were read, ${written.rows} are there.`,
    );
}

function totalOf(totals: Totals, table: Table): Total {
  const total = totals.get(table);
  if (!total) throw new Error(`${table.name} was not read`);
  return total;
}

function named(all: readonly string[]): string {
  const more = all.length - NAMED;
  return [...all.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

/** Lets signals in: reading a file waits for nothing. */
async function aTurn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
