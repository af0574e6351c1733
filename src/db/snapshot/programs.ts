/** PostgreSQL's own programs, which know how its databases are copied. */
import { Refused } from "./facts.ts";

type Program = "pg_dump" | "pg_restore";

/** With its own environment, since whoever lists the machine's processes sees their arguments. */
export type WithPassword = (more: { PGPASSWORD?: string }) => Record<string, string | undefined>;

interface Running {
  stdout: ReadableStream<Uint8Array>;
  /** Rejects, in the program's own words on one line, when it did not do it. */
  done: Promise<void>;
}

export function runProgram(
  program: Program,
  args: readonly string[],
  env?: ReturnType<WithPassword>,
): Running {
  const path = Bun.which(program);
  if (!path)
    throw new Refused(
      `There is no ${program} on PATH: install the client programs of PostgreSQL, of the server's version or a newer one.`,
    );
  const child = Bun.spawn([path, ...args], { stdio: ["ignore", "pipe", "pipe"], ...(env && { env }) });
  const done = Promise.all([new Response(child.stderr).text(), child.exited]).then(([words, code]) => {
    if (code !== 0) throw new Refused(`${program} says: ${onOneLine(words, program) || `exit code ${code}`}`);
  });
  // Whoever stops reading does not ask any more how it went.
  done.catch(() => {});
  return { stdout: child.stdout, done };
}

/** Whether pg_restore can read a dump to its end; null when it is not there to be asked. */
export async function checkDump(dump: string): Promise<string[] | null> {
  if (!Bun.which("pg_restore")) return null;
  try {
    await runProgram("pg_restore", ["--file=/dev/null", dump]).done;
    return [];
  } catch (error) {
    if (error instanceof Refused) return [error.message];
    throw error;
  }
}

/** The name of the database for its argument, and the password for its environment. */
export function reach(url: string, withPassword: WithPassword) {
  const place = new URL(url);
  const password = decodeURIComponent(place.password);
  place.password = "";
  return {
    database: `--dbname=${place.href}`,
    env: withPassword(password === "" ? {} : { PGPASSWORD: password }),
  };
}

function onOneLine(words: string, program: Program): string {
  return words
    .trim()
    .split("\n")
    .map((line) => line.replace(`${program}: `, "").trim())
    .join("; ");
}
