import type { SqliteDatabase } from "./open.ts";

/** Milliseconds: what the command line does is felt well within a second. */
const EVERY = 500;

/** Calls back after another process has written to the file. Answers with what ends the watch. */
export function watchOtherWriters({ $client: client }: SqliteDatabase, changed: () => void): () => void {
  // SQLite counts for each connection the commits of all others; asking takes some microseconds.
  const version = client.query<{ data_version: number }, []>("PRAGMA data_version");
  const read = () => version.get()?.data_version;
  let seen = read();
  const timer = setInterval(() => {
    const now = read();
    if (now === seen) return;
    seen = now;
    changed();
  }, EVERY);
  return () => clearInterval(timer);
}
