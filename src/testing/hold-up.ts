/** Somebody else at work in a PostgreSQL, who keeps others waiting. */
import postgres from "postgres";

export interface HoldUp {
  /** Resolves when somebody waits. */
  isFelt(): Promise<void>;
  /** Whoever waits goes on. */
  end(): Promise<void>;
}

/** Whoever needs what the statement locks waits until the end. */
export async function holdUp(url: string, statement: string): Promise<HoldUp> {
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  const held = Promise.withResolvers<number>();
  const over = Promise.withResolvers<void>();
  const holding = sql.begin(async (tx) => {
    await tx.unsafe(statement);
    const [own] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    held.resolve(own?.pid ?? 0);
    await over.promise;
  });
  const pid = await Promise.race([held.promise, holding.then(() => 0)]);
  const waiting = () => sql`SELECT 1 FROM pg_stat_activity WHERE ${pid} = ANY (pg_blocking_pids(pid))`;
  return {
    async isFelt() {
      while ((await waiting()).length === 0) await Bun.sleep(10);
    },
    async end() {
      over.resolve();
      await holding;
      await sql.end();
    },
  };
}
