import { afterAll, beforeAll, expect, test } from "bun:test";
import type { MessageId } from "../../shared/ids.ts";
import { openNode, settle, type Node } from "../../testing/postgres-node.ts";
import { startPostgres, type PostgresServer } from "../../testing/postgres.ts";

let server: PostgresServer;
let node: Node;
beforeAll(async () => {
  server = await startPostgres();
  node = await openNode(await server.createDatabase(), "reader", 1);
});
afterAll(async () => {
  await node.close();
  await server.stop();
});

/** Rows and entries of indexes of messages that the server has looked at meanwhile. */
async function looked(read: () => Promise<unknown>): Promise<number> {
  const { $client: sql } = node.db;
  async function count(): Promise<number> {
    await sql`SELECT pg_stat_force_next_flush()`;
    await sql`SELECT pg_stat_clear_snapshot()`;
    const [row] = await sql<{ n: number }[]>`
      SELECT (t.seq_tup_read + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'messages'))::int AS n
      FROM pg_stat_user_tables t WHERE relname = 'messages'`;
    return row?.n ?? 0;
  }
  const before = await count();
  await read();
  return (await count()) - before;
}

test("a page of a long room costs what it shows, however little the server knows of its tables", async () => {
  const { room, say } = await settle(node, { rooms: 1, people: 3 });
  const batch = Array.from({ length: 5000 }, (_, i) => say(`${i}`));
  const written = await node.log.write(batch);
  const middle = written[2500]?.outcome === "stored" ? (written[2500].message.id as MessageId) : null;
  const { $client: sql } = node.db;
  expect(await looked(() => sql`SELECT count(*) FROM messages WHERE text <> ''`)).toBeGreaterThanOrEqual(
    5000,
  );
  // Often enough for a plan to be kept.
  for (let i = 0; i < 8; i++) {
    expect(await looked(() => node.log.page(room, { limit: 50 }))).toBeLessThan(60);
    expect(await looked(() => node.log.page(room, { before: middle as number, limit: 50 }))).toBeLessThan(60);
    expect(await looked(() => node.log.around(room, middle as MessageId, 50))).toBeLessThan(90);
    expect(await looked(() => node.log.changesSince(room, 100, 50))).toBeLessThan(60);
    expect(await looked(() => node.log.write([{ ...(batch[7] as (typeof batch)[0]) }]))).toBeLessThan(10);
  }
});

test("reading goes on after the connections have been ended", async () => {
  const { room, say } = await settle(node, { rooms: 1, people: 1 });
  await node.log.write([say("hello")]);
  for (let i = 0; i < 5; i++) {
    const reading = Array.from({ length: 10 }, () => node.log.page(room, { limit: 5 }));
    await server.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'echochat %'",
    );
    await Promise.allSettled(reading);
    expect((await node.log.page(room, { limit: 5 })).messages).toMatchObject([{ text: "hello" }]);
  }
});
