/** What every message log promises of reading. */
import { expect, test } from "bun:test";
import type { Page } from "../../chat/ports.ts";
import type { MessageId, RoomId } from "../../shared/ids.ts";
import { type OpenStores } from "./open.ts";
import { changesOf, edit, idOf, postedOf, remove, scene, sceneOf, textsOf } from "./scene.ts";

export function paging(stores: () => OpenStores): void {
  test("gives the newest messages in ascending order", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 5);
    const page = await messages.page(room, { limit: 3 });
    expect(textsOf(page)).toEqual(["3", "4", "5"]);
    expect(page).toMatchObject({ previousAt: posted[1]?.createdAt, head: 5 });
  });

  test("of an empty room gives nothing", async () => {
    const { messages, room } = await scene(stores());
    expect(await messages.page(room, { limit: 3 })).toEqual({
      messages: [],
      previousAt: null,
      head: 0,
    });
  });

  test("knows that nothing comes before the first message", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 3);
    expect((await messages.page(room, { limit: 2 })).previousAt).toBe(posted[0]?.createdAt ?? Number.NaN);
    expect((await messages.page(room, { limit: 3 })).previousAt).toBeNull();
    expect((await messages.page(room, { limit: 4 })).previousAt).toBeNull();
  });

  test("before a message goes on where the page after it began", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 7);
    const pages: Page[] = [await messages.page(room, { limit: 3 })];
    for (let first = pages[0]; first?.previousAt !== null; first = pages.at(-1)) {
      pages.push(await messages.page(room, { before: first?.messages[0]?.id, limit: 3 }));
    }
    expect(pages.map(textsOf)).toEqual([["5", "6", "7"], ["2", "3", "4"], ["1"]]);
    expect(pages.map(({ previousAt }) => previousAt)).toEqual([
      posted[3]?.createdAt,
      posted[0]?.createdAt,
      null,
    ] as never);
  });

  test("before the first message is empty, with newer ones after it", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 2);
    const page = await messages.page(room, { before: posted[0]?.id, limit: 3 });
    expect(page).toEqual({ messages: [], previousAt: null, head: 2 });
  });

  test("before an id beyond the last is the newest page", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 3);
    const beyond = (posted[2]?.id ?? 0) + 1;
    const newest = await messages.page(room, { limit: 2 });
    expect(textsOf(newest)).toEqual(["2", "3"]);
    for (const before of [beyond, beyond + 1_000_000, Number.MAX_SAFE_INTEGER, undefined]) {
      expect(await messages.page(room, { before, limit: 2 })).toEqual(newest);
    }
  });

  test("shows nothing of other rooms, in whatever order they were written", async () => {
    const { messages, room, other, say } = await scene(stores());
    const batch = ["a", "b", "c", "d"].map((text, i) =>
      say(text, { room: i % 2 === 0 ? room : other, createdAt: i }),
    );
    const posted = postedOf(await messages.write(batch));
    expect(textsOf(await messages.page(room, { limit: 10 }))).toEqual(["a", "c"]);
    expect(textsOf(await messages.page(other, { limit: 10 }))).toEqual(["b", "d"]);
    const page = await messages.page(room, { before: posted[3]?.id, limit: 1 });
    expect(page).toMatchObject({ previousAt: 0 });
    expect(textsOf(page)).toEqual(["c"]);
  });

  test("orders by place and never by time", async () => {
    const { messages, room, say } = await scene(stores());
    await messages.write([
      say("a", { createdAt: 3000 }),
      say("b", { createdAt: 1000 }),
      say("c", { createdAt: 2000 }),
    ]);
    expect(textsOf(await messages.page(room, { limit: 3 }))).toEqual(["a", "b", "c"]);
  });
}

export function aroundMessage(stores: () => OpenStores): void {
  test("gives it in the middle of its neighbours", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 9);
    const page = await messages.around(room, idOf(posted[4]), 5);
    expect(page && textsOf(page)).toEqual(["3", "4", "5", "6", "7"]);
    expect(page).toMatchObject({ previousAt: posted[1]?.createdAt, head: 9 });
  });

  test("gives a page without a gap that holds it, wherever it stands", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 6);
    for (const limit of [1, 2, 3, 4, 5, 6, 20]) {
      for (const message of posted) {
        const page = await messages.around(room, idOf(message), limit);
        const places = page?.messages.map(({ seq }) => seq) ?? [];
        const [first = 0, last = 0] = [places[0], places.at(-1)];
        expect(places).toContain(message.seq);
        expect(places.length).toBeLessThanOrEqual(limit);
        expect(places).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
        expect(page?.previousAt).toBe(first === 1 ? null : first - 1);
        expect(page?.head).toBe(6);
      }
    }
  });

  test("of the first begins with it, and of the last ends with it", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 6);
    const first = await messages.around(room, idOf(posted[0]), 4);
    expect(first?.messages[0]?.text).toBe("1");
    expect(first).toMatchObject({ previousAt: null });
    const last = await messages.around(room, idOf(posted[5]), 4);
    expect(last?.messages.at(-1)?.text).toBe("6");
    expect(last).toMatchObject({ previousAt: 2 });
  });

  test("that does not exist gives nothing", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 3);
    const id = idOf(posted[1]);
    expect(await messages.around(room, id, 3)).not.toBeNull();
    expect(await messages.around(room, (idOf(posted[2]) + 1_000_000) as MessageId, 3)).toBeNull();
    expect(await messages.around(room, Number.MAX_SAFE_INTEGER as MessageId, 3)).toBeNull();
  });

  test("of another room gives nothing, with newer messages of this room or without", async () => {
    const { messages, room, other, say } = await scene(stores());
    const posted = postedOf(await messages.write([say("a"), say("secret", { room: other }), say("b")]));
    const secret = idOf(posted[1]);
    expect(await messages.around(other, secret, 3)).not.toBeNull();
    expect(await messages.around(room, secret, 3)).toBeNull();
    expect(await messages.around(other, idOf(posted[2]), 3)).toBeNull();
  });
}

export function changing(stores: () => OpenStores): void {
  test("gives every change after a number, in order, and the head", async () => {
    const { messages, room } = await sceneOf(stores(), 5);
    const since = await messages.changesSince(room, 2, 10);
    expect(since.changes.map(({ rev }) => rev)).toEqual([3, 4, 5]);
    expect([since.to, since.head]).toEqual([5, 5]);
  });

  test("at the head or beyond it gives nothing but the head", async () => {
    const { messages, room } = await sceneOf(stores(), 2);
    for (const rev of [2, 3, 1_000_000]) {
      expect(await messages.changesSince(room, rev, 10)).toEqual({ head: 2, to: 2, changes: [] });
    }
  });

  test("gives no more than asked for, and says up to where: from there it goes on", async () => {
    const { messages, room } = await sceneOf(stores(), 5);
    const pages: number[][] = [];
    for (let rev = 0; rev < 5;) {
      const { head, to, changes } = await messages.changesSince(room, rev, 2);
      expect([head, to]).toEqual([5, Math.min(rev + 2, 5)]);
      pages.push(changes.map((message) => message.rev));
      rev = to;
    }
    expect(pages).toEqual([[1, 2], [3, 4], [5]]);
    expect(await messages.changesSince(room, 1, 4)).toMatchObject({ to: 5, head: 5 });
  });

  test("goes up to the head over numbers that later changes have taken the place of", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 4);
    await messages.write([remove(idOf(posted[3]), ann.id, 5), edit(idOf(posted[0]), ann.id, "again")]);
    const first = await messages.changesSince(room, 0, 3);
    expect(first).toMatchObject({ head: 6, to: 5 });
    expect(first.changes.map(({ rev }) => rev)).toEqual([2, 3, 5]);
    const rest = await messages.changesSince(room, first.to, 3);
    expect(rest).toMatchObject({ head: 6, to: 6, changes: [{ seq: 1, rev: 6, text: "again" }] });
  });

  test("is told in short by the numbers of the last changes, of rooms that exist", async () => {
    const { messages, room, other, ann, say } = await scene(stores());
    const missing = 1_000_000_000 as RoomId;
    const [posted] = postedOf(await messages.write([say("a"), say("b")]));
    await messages.write([remove(idOf(posted), ann.id)]);
    expect(await messages.heads([room, other, missing])).toEqual(
      new Map([
        [room, 3],
        [other, 0],
      ]),
    );
    expect(await messages.heads([])).toEqual(new Map());
  });

  test("gives nothing of other rooms", async () => {
    const { messages, room, other, say } = await scene(stores());
    await messages.write([say("a"), say("b", { room: other }), say("c")]);
    expect((await changesOf(messages, other)).changes.map(({ text }) => text)).toEqual(["b"]);
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(["a", "c"]);
  });

  test("during appends gives a state without gaps", async () => {
    const { messages, room, say } = await scene(stores());
    const writing = Promise.all(
      Array.from({ length: 30 }, (_, i) => messages.write([say(`${i}`), say(`${i}+`)])),
    );
    const reading = Promise.all(Array.from({ length: 30 }, () => changesOf(messages, room)));
    for (const { head, changes } of await reading) {
      expect(changes.map(({ rev }) => rev)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
      expect(head % 2).toBe(0);
    }
    await writing;
    expect((await changesOf(messages, room)).head).toBe(60);
  });
}
