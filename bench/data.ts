/**
 * The data that is measured on: members who registered over the API, a long history written straight into the file,
 * and on top of it the messages of the newest page, sent by the members over their sockets.
 */
import { Database } from "bun:sqlite";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionId } from "../src/shared/ids.ts";
import { createTokens } from "../src/http/tokens.ts";
import { member } from "../src/testing/client.ts";
import { echochat, start } from "./servers.ts";
import { openSender } from "./clients/sender.ts";
import { native } from "./clients/protocols.ts";
import { textOf } from "./texts.ts";

export interface Data {
  /** The data folder of a small installation: members, and one page of messages. */
  small: string;
  /** The same with a history in front of that page. */
  large: string;
  /** The `Cookie` headers of the members' sessions, valid in both. */
  cookies: readonly string[];
}

export const DEPTH = 1_000_000;
export const PAGE = 50;

const MEMBERS = ["anna", "ben", "chiara", "dmitri", "elena", "farid", "grete", "hugo"];
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export async function makeData(): Promise<Data> {
  const folder = mkdtempSync(join(tmpdir(), "echochat-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const [small, large] = [join(folder, "small"), join(folder, "large")];

  const cookies = await register(small);
  await Bun.$`cp -r ${small} ${large}`;
  writeHistory(join(large, "echochat.sqlite"));
  for (const dataDir of [small, large]) await talk(dataDir, cookies);
  return { small, large, cookies };
}

/** The same data in a folder of its own, of a server that is not running. */
export function copyOf(dataDir: string): string {
  const copy = `${dataDir}-copy-${++copies}`;
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}
let copies = 0;

/** Signs the members in on so many devices, straight in the file: the `Cookie` headers of those. */
export async function signIn(dataDir: string, count: number): Promise<string[]> {
  const tokens = createTokens(readFileSync(join(dataDir, "secret.key"), "utf8").trim());
  const db = new Database(join(dataDir, "echochat.sqlite"), { strict: true });
  const people = db.query<{ id: number }, []>("SELECT id FROM users ORDER BY id").all();
  const insert = db.query(
    "INSERT INTO sessions (id, user_id, csrf, created_at, expires_at) VALUES ($id, $user, $id, $now, $end)",
  );
  const ids = Array.from({ length: count }, (_, number) => `device-${number}`.padEnd(32, "-"));
  const now = Date.now();
  db.transaction(() => {
    for (const [at, id] of ids.entries()) {
      const user = people[at % people.length]?.id ?? 0;
      insert.run({ id, user, now, end: now + DAY });
    }
  })();
  db.close();
  const signed = ids.map(async (id) => `sessionid=${await tokens.sign(id as SessionId)}`);
  return Promise.all(signed);
}

async function register(dataDir: string): Promise<string[]> {
  const server = await start(echochat(dataDir));
  const cookies: string[] = [];
  for (const name of MEMBERS) {
    const person = await member(server, name);
    cookies.push(person.cookieHeader());
  }
  await server.stop();
  return cookies;
}

/** In one transaction; the room's numbers stay exactly 1..head. */
function writeHistory(file: string): void {
  const db = new Database(file, { strict: true });
  const people = db.query<{ id: number; name: string }, []>("SELECT id, name FROM users ORDER BY id").all();
  const room = db.query<{ id: number }, []>("SELECT id FROM rooms WHERE slug = 'public'").get();
  const insert = db.query(
    `INSERT INTO messages (room_id, seq, rev, author_id, author_name, client_key, text, created_at)
     VALUES ($room, $number, $number, $author, $name, $key, $text, $at)`,
  );
  const count = DEPTH + PAGE;
  const startedAt = Date.now() - count * MINUTE;
  db.transaction(() => {
    for (let number = 1; number <= count; number++) {
      // Several messages in a row by one author, as people write.
      const author = people[Math.floor(number / 3) % people.length];
      if (!room || !author) throw new Error("the room or its members are missing");
      const key = `history-${number}`;
      const at = startedAt + number * MINUTE;
      insert.run({
        room: room.id,
        number,
        author: author.id,
        name: author.name,
        key,
        text: textOf(number),
        at,
      });
    }
    db.query("UPDATE rooms SET head = $count WHERE id = $room").run({ count, room: room?.id ?? 0 });
  })();
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}

async function talk(dataDir: string, cookies: readonly string[]): Promise<void> {
  const server = await start(echochat(dataDir));
  const senders = await Promise.all(cookies.map((cookie) => openSender(server, native, cookie)));
  for (let number = 0; number < PAGE; number++) {
    const sender = senders[Math.floor(number / 3) % senders.length];
    await sender?.send(`first-page-${number}`, textOf(number));
  }
  for (const sender of senders) sender.close();
  await server.stop();
}
