/** Writes what an installation has into a folder, as of one moment, with a memory that does not grow with its messages. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CopyRefused } from "../db/copy/refused.ts";
import type { Table, Value } from "../db/copy/tables.ts";
import type { MediaStorage } from "../media/storage.ts";
import { smallAvatar } from "../shared/media.ts";
import { encode, Malformed, type Kind, type Line } from "./format.ts";
import { LINE_MAX, writeLines } from "./lines.ts";
import { fileOf, writeManifest, type Sums } from "./manifest.ts";
import { membershipOf, messageOf, personOf, roomOf, rowOf, tableOf, type Names } from "./rows.ts";
import { aTurn } from "./turn.ts";

/** The rows of a database as they were at one moment, in order of the key. */
export interface Rows {
  chunks(
    table: Table,
    unfit: (place: string) => void,
  ): Iterable<readonly Value[][]> | AsyncIterable<readonly Value[][]>;
}

export interface ExportOptions {
  folder: string;
  rows: Rows;
  pictures: Pick<MediaStorage, "get">;
  /** The version of the program. */
  program: string;
  now: number;
  /** Calls it off; the folder is then as it was. */
  signal: AbortSignal;
  tell: (kind: Kind, lines: number) => void;
}

export interface Exported {
  sums: Sums;
  /** Pictures that people have and that are not where pictures are kept. */
  missing: readonly string[];
}

/** Only into a new or an empty folder. */
export async function exportTo(options: ExportOptions): Promise<Exported> {
  const { folder, program, now, signal } = options;
  const isNew = !existsSync(folder);
  if (!isNew && readdirSync(folder).length > 0)
    throw new CopyRefused(`${folder} is not empty: name a folder that is, or a new one.`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  try {
    const exported = await write(options);
    signal.throwIfAborted();
    writeManifest(folder, exported.sums, program, now);
    return exported;
  } catch (error) {
    for (const name of isNew ? [] : readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    if (isNew) rmSync(folder, { recursive: true });
    throw signal.aborted ? new CopyRefused("It was called off.", { cause: error }) : error;
  }
}

async function write(options: ExportOptions): Promise<Exported> {
  const { folder } = options;
  const people = new Map<Value | undefined, string>();
  const rooms = new Map<Value | undefined, string>();
  const names: Names = {
    person: (id) => people.get(id) ?? null,
    room: (id) => rooms.get(id) ?? "",
  };
  const album = createAlbum(options);
  const sums = {
    people: await writeTable(options, "users", "people", async (row) => {
      const person = personOf(row);
      people.set(row["id"], person.username);
      return { ...person, profileImage: await album.keep(person.profileImage) };
    }),
    rooms: await writeTable(options, "rooms", "rooms", (row) => {
      const room = roomOf(row, names);
      rooms.set(row["id"], room.slug);
      return room;
    }),
    members: await writeTable(options, "members", "members", (row) => membershipOf(row, names)),
    messages: await writeTable(options, "messages", "messages", (row) => messageOf(row, names)),
    files: writeFiles(folder, album.files),
  };
  return { sums, missing: album.missing };
}

async function writeTable<K extends Kind>(
  { folder, rows, signal, tell }: ExportOptions,
  name: string,
  kind: K,
  lineOf: (row: ReturnType<typeof rowOf>) => Line<K> | Promise<Line<K>>,
) {
  const table = tableOf(name);
  const file = writeLines(join(folder, fileOf(kind)));
  const unfit = (place: string) => {
    throw new CopyRefused(`The database has a value that the program does not write: ${place}.`);
  };
  for await (const chunk of rows.chunks(table, unfit)) {
    const lines: string[] = [];
    for (const values of chunk) {
      const line = lineOf(rowOf(table, values));
      lines.push(written(kind, line instanceof Promise ? await line : line));
    }
    tell(kind, file.add(lines));
    await aTurn(signal);
  }
  return file.end();
}

function written<K extends Kind>(kind: K, line: Line<K>): string {
  try {
    const text = encode(kind, line);
    if (Buffer.byteLength(text) > LINE_MAX) throw new Malformed(tooLong(line));
    return text;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new CopyRefused(`Of ${kind} something cannot be written: ${error.message}.`, { cause: error });
  }
}

/** Nobody reads such a line, this program included. */
function tooLong(line: object): string {
  const which = "id" in line ? `number ${String(line.id)} ` : "a line ";
  return `${which}is longer than 4 MiB`;
}

function writeFiles(folder: string, files: readonly Line<"files">[]) {
  const file = writeLines(join(folder, fileOf("files")));
  file.add(files.map((line) => encode("files", line)));
  return file.end();
}

/** The pictures of people, in both of their sizes. */
function createAlbum({ folder, pictures }: ExportOptions) {
  const files: Line<"files">[] = [];
  const missing: string[] = [];

  async function copy(path: string): Promise<boolean> {
    const picture = await pictures.get(path);
    if (!picture) return false;
    const bytes = await picture.bytes();
    const target = join(folder, "files", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes, { mode: 0o600, flush: true });
    const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    files.push({ path, bytes: bytes.length, sha256 });
    return true;
  }

  return {
    files,
    missing,
    /** Null where there is no such picture: it may have been replaced in this moment. */
    async keep(path: string | null): Promise<string | null> {
      if (path === null) return null;
      if (!(await copy(path))) {
        missing.push(path);
        return null;
      }
      const small = smallAvatar(path);
      if (small !== path) await copy(small);
      return path;
    },
  };
}
