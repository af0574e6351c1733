import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import postgres from "postgres";
import type { Join, Write, Written } from "../../chat/ports.ts";
import type { RoomId, UserId } from "../../shared/ids.ts";
import { createRecord, openNode, settle, type Node } from "../../testing/postgres-node.ts";
import { startPostgres, type PostgresServer } from "../../testing/postgres.ts";
import { unique } from "../../testing/stores/open.ts";
import { edit, idOf, outcomesOf, postedOf, remove } from "../../testing/stores/scene.ts";

let server: PostgresServer;
let url: string;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  // What tests put in by hand has to outlive a crash as well.
  server = await startPostgres({ settings: { synchronous_commit: "on" } });
  url = await server.createDatabase();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});
afterAll(() => server.stop());

async function node(name: string, at = url): Promise<Node> {
  const opened = await openNode(at, name);
  open.push(opened);
  return opened;
}

const nodes = (...names: string[]) => Promise.all(names.map((name) => node(name)));

/** A connection beside those of the nodes, in the middle of something. */
function aside() {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  open.push({ close: () => sql.end({ timeout: 1 }) });
  return sql;
}

test("a room that two nodes write in at once has the numbers 1 to n, and ids that rise with them", async () => {
  const both = await nodes("one", "two");
  const { room, people, say } = await settle(both[0] as Node, { rooms: 1, people: 5 });
  const record = createRecord();
  const writes = Array.from({ length: 120 }, (_, i) => {
    const author = people[i % 5] as UserId;
    return record.write(
      both[i % 2] as Node,
      Array.from({ length: 1 + (i % 7) }, (_item, at) => say(`${i}.${at}`, { author })),
    );
  });
  const written = (await Promise.all(writes)).flatMap((done) => done ?? []);
  expect(written).toHaveLength(record.acknowledged.size);
  expect(written.length).toBeGreaterThan(400);
  expect(await record.faultsIn(both[0] as Node, room)).toEqual([]);
  expect((await both[1]?.log.heads([room]))?.get(room)).toBe(written.length);
});

test("one message sent through two nodes at once is stored once, and both get the same answer", async () => {
  const [one, two] = (await nodes("one", "two")) as [Node, Node];
  const { room, say } = await settle(one, { rooms: 1, people: 1 });
  for (let round = 0; round < 40; round++) {
    const draft = say(`${round}`);
    const [here, there] = await Promise.all([one.log.write([draft]), two.log.write([draft])]);
    expect(outcomesOf([...here, ...there]).toSorted()).toEqual(["repeated", "stored"]);
    expect(postedOf(here)).toEqual(postedOf(there));
  }
  expect((await one.log.heads([room])).get(room)).toBe(40);
});

test("one key sent to two rooms through two nodes at once is stored in one, and refused in the other", async () => {
  const [one, two] = (await nodes("one", "two")) as [Node, Node];
  const { rooms, say } = await settle(one, { rooms: 2, people: 1 });
  for (let round = 0; round < 40; round++) {
    const draft = say(`${round}`);
    const [here, there] = await Promise.all([
      one.log.write([say("before"), draft]),
      two.log.write([{ ...draft, room: rooms[1] as RoomId }]),
    ]);
    expect(outcomesOf([here[1] as Written, ...there]).toSorted()).toEqual(["key_reused", "stored"]);
  }
  const heads = await one.log.heads(rooms);
  expect([...heads.values()].reduce((sum, head) => sum + head, 0)).toBe(80);
});

test("nodes that write in many rooms at once do not wait for each other in a circle", async () => {
  const all = await nodes("one", "two", "three");
  const { rooms, people, say } = await settle(all[0] as Node, { rooms: 6, people: 8 });
  await waitInACircle(people);
  while ((await deadlocks()) === 0) await Bun.sleep(10);
  expect(await deadlocks()).toBe(1);

  const posted = postedOf(
    await (all[0] as Node).log.write(
      rooms.flatMap((room) => people.map((author) => say("old", { room, author }))),
    ),
  );
  const chance = (below: number) => Math.floor(Math.random() * below);
  const any = (): Write => {
    const [room, author] = [rooms[chance(6)] as RoomId, people[chance(8)] as UserId];
    const id = idOf(posted[chance(posted.length)]);
    const kind = chance(10);
    return kind < 7
      ? say("new", { room, author })
      : kind < 9
        ? edit(id, author, unique("text"))
        : remove(id, author);
  };
  const seen = aside();
  async function meanwhile(): Promise<void> {
    for (let i = 0; i < 60; i++) {
      await seen`UPDATE users SET is_muted = false WHERE id = ${people[chance(8)] as number}`;
      await seen.begin(async (tx) => {
        await tx`SELECT 1 FROM rooms WHERE id = ${rooms[chance(6)] as number} FOR NO KEY UPDATE`;
        await tx`UPDATE members SET read_seq = 0 WHERE user_id = ${people[chance(8)] as number}`;
      });
    }
  }
  const writing = all.map(async ({ log }) => {
    for (let i = 0; i < 60; i++) await log.write(Array.from({ length: 1 + chance(12) }, any));
  });
  await Promise.all([...writing, meanwhile()]);
  await Bun.sleep(100);
  expect(await deadlocks()).toBe(1);
  for (const room of rooms) {
    const { head, changes } = await (all[0] as Node).log.changesSince(room, 0, 100_000);
    expect(new Set(changes.map(({ rev }) => rev)).size).toBe(changes.length);
    expect(changes.at(-1)?.rev).toBe(head);
  }
});

test("whoever is put out, or muted, while their message waits for the room is refused", async () => {
  const [one] = (await nodes("one")) as [Node];
  const { room, people, say } = await settle(one, { rooms: 1, people: 3 });
  const [author, out, muted] = people as [UserId, UserId, UserId];
  const sql = aside();
  await sql`BEGIN`;
  await sql`SELECT 1 FROM rooms WHERE id = ${room} FOR NO KEY UPDATE`;
  await sql`UPDATE members SET role = 'removed' WHERE room_id = ${room} AND user_id = ${out}`;
  await sql`UPDATE users SET is_muted = true WHERE id = ${muted}`;
  const writing = one.log.write([author, out, muted].map((who) => say("hello", { author: who })));
  await untilSomebodyWaits();
  await sql`COMMIT`;
  expect(outcomesOf(await writing)).toEqual(["stored", "not_found", "muted"]);
});

test("what comes while another node holds the room goes along, up to the first that does not fit", async () => {
  const [one, two] = (await nodes("one", "two")) as [Node, Node];
  const { room, rooms, say } = await settle(one, { rooms: 2, people: 1 });
  const waiting = [say("late"), say("elsewhere", { room: rooms[1] as RoomId }), say("later")];
  const asked: number[] = [];
  const join: Join = (fits) => {
    asked.push(waiting.length);
    return waiting.splice(
      0,
      waiting.findIndex((write) => !fits(write)),
    );
  };
  // Who is alone in a room is not waited for.
  for (const text of ["1", "2"]) await one.log.write([say(text)], join);
  await two.log.write([say("3")], join);
  await one.log.write([say("4")], join);
  expect(asked).toEqual([]);
  const sql = aside();
  await sql`BEGIN`;
  await sql`SELECT 1 FROM rooms WHERE id = ${room} FOR NO KEY UPDATE`;
  const writing = one.log.write([say("5")], join);
  await untilSomebodyWaits();
  expect(asked).toEqual([]);
  await sql`COMMIT`;
  const written = await writing;
  expect(postedOf(written).map(({ seq, text }) => [seq, text])).toEqual([
    [5, "5"],
    [6, "late"],
  ]);
  expect([asked, waiting.map(({ text }) => text)]).toEqual([[3], ["elsewhere", "later"]]);
  const transactions = "SELECT count(DISTINCT xmin::text)::int AS n FROM messages WHERE seq IN (5, 6)";
  expect(await server.run(`${transactions} AND room_id = ${room}`, url)).toEqual([{ n: 1 }]);
  // The other one is quiet by now.
  await one.log.write([say("7")], join);
  await one.log.write([say("8")], join);
  expect(asked).toEqual([3]);
});

test("whoever went along is answered with the others when the answer to the commit is lost", async () => {
  const wire = await tap();
  const [one, two] = [await node("one", wire.url), await node("two")];
  const { room, say } = await settle(one, { rooms: 1, people: 1 });
  for (const { log } of [one, two, one]) await log.write([say("in turn")]);
  const waiting = [say("5")];
  wire.loseAnswerTo("COMMIT");
  const written = await one.log.write([say("4")], () => waiting.splice(0));
  expect(wire.lost()).toBe(1);
  expect(postedOf(written).map(({ seq, text }) => [seq, text])).toEqual([
    [4, "4"],
    [5, "5"],
  ]);
  expect((await one.log.heads([room])).get(room)).toBe(5);
});

test("whoever mutes somebody waits for what is being written, and nothing is written after", async () => {
  const [one] = (await nodes("one")) as [Node];
  const { room, author, say } = await settle(one, { rooms: 1, people: 1 });
  const record = createRecord();
  let isMuted = false;
  const late: string[] = [];
  async function talk(): Promise<void> {
    while (true) {
      const wasMuted = isMuted;
      const [done] = await one.log.write([say("hello")]);
      if (done?.outcome === "refused") return;
      if (wasMuted) late.push("written by somebody who was muted");
    }
  }
  const talking = talk();
  await record.write(one, [say("first")]);
  await aside()`UPDATE users SET is_muted = true WHERE id = ${author}`;
  isMuted = true;
  await talking;
  expect(late).toEqual([]);
  expect((await one.log.heads([room])).get(room)).toBeGreaterThan(0);
});

test("connections that are ended in mid-write take nothing acknowledged with them, and double nothing", async () => {
  const both = await nodes("one", "two");
  const { room, people, say } = await settle(both[0] as Node, { rooms: 1, people: 4 });
  const record = createRecord();
  let ended = 0;
  const failures = await duringLoad(both, room, record, people, say, async () => {
    for (let i = 0; i < 40; i++) {
      const gone = await server.run(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'echochat %' AND query <> ''`,
        url,
      );
      ended += gone.length;
      await Bun.sleep(Math.random() * 40);
    }
  });
  expect(ended).toBeGreaterThan(10);
  expect(failures).toBe(0);
  expect(await record.faultsIn(both[0] as Node, room)).toEqual([]);
});

test("a server that is started anew in mid-write takes nothing acknowledged with it", async () => {
  const both = await nodes("one", "two");
  const { room, people, say } = await settle(both[0] as Node, { rooms: 1, people: 4 });
  const record = createRecord();
  await duringLoad(both, room, record, people, say, async () => {
    for (let i = 0; i < 2; i++) {
      await server.restart("immediate");
      const known = record.acknowledged.size;
      while (record.acknowledged.size < known + 60) await Bun.sleep(10);
    }
  });
  const before = record.acknowledged.size;
  expect(await record.write(both[0] as Node, [say("after")])).toMatchObject([{ outcome: "stored" }]);
  expect(before).toBeGreaterThan(100);
  expect(await record.faultsIn(both[1] as Node, room)).toEqual([]);
});

test("while the server is away writing fails in the end, and goes on when it is back", async () => {
  const [one] = (await nodes("one")) as [Node];
  const { room, say } = await settle(one, { rooms: 1, people: 1 });
  expect(outcomesOf(await one.log.write([say("before")]))).toEqual(["stored"]);
  await server.halt();
  const draft = say("meanwhile");
  const began = performance.now();
  const failed = await one.log.write([draft]).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(Error);
  expect(performance.now() - began).toBeLessThan(10_000);
  await server.start();
  expect(outcomesOf(await one.log.write([draft]))).toEqual(["stored"]);
  expect((await one.log.heads([room])).get(room)).toBe(2);
});

test("a commit whose answer is lost is answered as what it was, and is not done again", async () => {
  const wire = await tap();
  const one = await node("one", wire.url);
  const { room, author, say } = await settle(one, { rooms: 1, people: 1 });
  const [first, second] = postedOf(await one.log.write([say("first"), say("second")]));
  const batch = [say("third"), edit(idOf(first), author, "better"), remove(idOf(second), author)];
  wire.loseAnswerTo("COMMIT");
  const written = await one.log.write(batch);
  expect(wire.lost()).toBe(1);
  expect(outcomesOf(written)).toEqual(["stored", "stored", "stored"]);
  const { head, changes } = await one.log.changesSince(room, 2, 10);
  expect(head).toBe(5);
  expect(changes).toEqual(postedOf(written));
});

test("a batch that has not come through is written when there is a way again", async () => {
  const wire = await tap();
  const one = await node("one", wire.url);
  const { room, author, say } = await settle(one, { rooms: 1, people: 1 });
  const [first] = postedOf(await one.log.write([say("first")]));
  wire.loseAnswerTo("BEGIN");
  const written = await one.log.write([say("second"), edit(idOf(first), author, "better")]);
  expect(wire.lost()).toBe(1);
  expect(outcomesOf(written)).toEqual(["stored", "stored"]);
  expect((await one.log.changesSince(room, 1, 10)).changes).toEqual(postedOf(written));
});

test("a mistake in a batch leaves nothing behind, and the next one is written", async () => {
  const [one] = (await nodes("one")) as [Node];
  const { room, say } = await settle(one, { rooms: 1, people: 1 });
  const bad = one.log.write([say("good"), say("bad", { text: null as never })]);
  const next = one.log.write([say("next")]);
  expect(await bad.catch(() => "failed")).toBe("failed");
  expect(postedOf(await next).map(({ seq }) => seq)).toEqual([1]);
  expect((await one.log.changesSince(room, 0, 10)).changes.map(({ text }) => text)).toEqual(["next"]);
});

/** Both nodes write until the trouble is over; answers with how many batches failed. */
async function duringLoad(
  both: Node[],
  room: RoomId,
  record: ReturnType<typeof createRecord>,
  people: UserId[],
  say: Awaited<ReturnType<typeof settle>>["say"],
  trouble: () => Promise<void>,
): Promise<number> {
  const load = { isOver: false };
  let failures = 0;
  const writing = both.map(async (each) => {
    for (let i = 0; !load.isOver; i++) {
      const author = people[i % people.length] as UserId;
      const batch = Array.from({ length: 1 + (i % 9) }, () => say(unique("text"), { author, room }));
      const written = await record.write(each, batch);
      if (written) continue;
      failures += 1;
      // As a client does that has had no answer.
      await record.write(each, batch);
    }
  });
  await trouble();
  load.isOver = true;
  await Promise.all(writing);
  return failures;
}

/** Resolves when a connection of a node waits for a lock. */
async function untilSomebodyWaits(): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'echochat %' AND wait_event_type = 'Lock'`;
  while ((await server.run(waiting, url)).length === 0) await Bun.sleep(5);
}

/** As the server counts them in this database, a moment after its connections have told it. */
async function deadlocks(): Promise<number> {
  const [row] = await server.run(
    "SELECT pg_stat_clear_snapshot(), deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()",
    url,
  );
  return Number(row?.["n"]);
}

async function waitInACircle([ann, bob]: UserId[]): Promise<void> {
  const [one, two] = [aside(), aside()];
  const lock = (sql: typeof one, id: UserId | undefined) =>
    sql`SELECT 1 FROM users WHERE id = ${id as number} FOR UPDATE`;
  await one`BEGIN`;
  await two`BEGIN`;
  await lock(one, ann);
  await lock(two, bob);
  await Promise.allSettled([lock(one, bob), lock(two, ann)]);
  await one`ROLLBACK`;
  await two`ROLLBACK`;
  await Promise.all([one.end(), two.end()]);
}

/** A wire to the server that breaks where an answer should have come. */
async function tap(): Promise<{ url: string; loseAnswerTo(command: string): void; lost(): number }> {
  let wanted: string | null = null;
  let lost = 0;
  const pairs = new Set<Socket>();
  const listening = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: server.port });
    for (const end of [client, upstream]) {
      pairs.add(end);
      end.on("error", () => {});
      end.on("close", () => void (client.destroy(), upstream.destroy()));
    }
    client.on("data", (data) => void upstream.write(data));
    upstream.on("data", (data) => {
      if (!wanted || !data.includes(wanted)) return void client.write(data);
      wanted = null;
      lost += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const place = new URL(url);
  place.port = String((listening.address() as AddressInfo).port);
  open.push({
    close() {
      listening.close();
      for (const end of pairs) end.destroy();
    },
  });
  return {
    url: place.href,
    loseAnswerTo: (command) => void (wanted = `${command}\0`),
    lost: () => lost,
  };
}
