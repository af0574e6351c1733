/** What every message log promises of removing messages. */
import { expect, test } from "bun:test";
import type { Page } from "../../chat/ports.ts";
import type { MessageId } from "../../shared/ids.ts";
import { type OpenStores } from "./open.ts";
import { changesOf, idOf, outcomesOf, postedOf, remove, scene, sceneOf, textsOf } from "./scene.ts";

const NOW = 1_795_339_770_247;

export function removing(stores: () => OpenStores): void {
  test("takes the text away, leaves the place, and is a change like any other", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 3);
    const id = idOf(posted[1]);
    const removed = await messages.write([remove(id, ann.id, NOW)]);
    const tombstone = { ...posted[1], text: "", rev: 4, deletedAt: NOW };
    expect(removed).toMatchObject([{ outcome: "stored", room: { id: room }, message: tombstone }]);
    expect(postedOf(removed)[0]).toMatchObject({ id, seq: 2, author: ann.name, createdAt: 2 });
    const { head, changes } = await changesOf(messages, room);
    expect(head).toBe(4);
    expect(changes.map(({ seq, rev }) => [seq, rev])).toEqual([
      [1, 1],
      [3, 3],
      [2, 4],
    ]);
    expect(changes.at(-1)).toEqual(tombstone as never);
  });

  test("twice is once: nothing changes any more", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 1);
    expect(outcomesOf(await messages.write([remove(idOf(posted[0]), ann.id, NOW)]))).toEqual(["stored"]);
    const known = await changesOf(messages, room);
    for (const id of [idOf(posted[0]), 1_000_000_000 as MessageId])
      expect(outcomesOf(await messages.write([remove(id, ann.id, NOW + 1)]))).toEqual(["not_found"]);
    expect(await changesOf(messages, room)).toEqual(known);
  });

  test("20 times at once takes one number", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 2);
    const id = idOf(posted[0]);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => messages.write([remove(id, ann.id, NOW)])),
    );
    expect(outcomesOf(results.flat()).filter((outcome) => outcome === "stored")).toHaveLength(1);
    expect((await changesOf(messages, room)).head).toBe(3);
  });

  test("among appends leaves the numbers without a gap", async () => {
    const { messages, room, ann, say, posted } = await sceneOf(stores(), 20);
    await Promise.all(
      posted.flatMap((message) => [
        messages.write([say(`after ${message.seq}`)]),
        messages.write([remove(idOf(message), ann.id, NOW)]),
      ]),
    );
    const { head, changes } = await changesOf(messages, room);
    expect(head).toBe(60);
    expect(changes).toHaveLength(40);
    expect(new Set(changes.map(({ rev }) => rev)).size).toBe(40);
    expect(changes.filter(({ deletedAt }) => deletedAt === NOW)).toHaveLength(20);
  });

  test("shows a page without it, or with its place when asked for", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 5);
    for (const i of [1, 2]) await messages.write([remove(idOf(posted[i]), ann.id, NOW)]);
    expect(textsOf(await messages.page(room, { limit: 3 }))).toEqual(["1", "4", "5"]);
    const whole = await messages.page(room, { limit: 3, removed: true });
    expect(textsOf(whole)).toEqual(["", "4", "5"]);
    expect(whole.messages.map(({ deletedAt }) => deletedAt ?? null)).toEqual([NOW, null, null]);
    expect([whole.previousAt, whole.head]).toEqual([2, 7]);
  });

  test("counts for nothing in what comes before a page, unless places are asked for", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 4);
    for (const i of [0, 1]) await messages.write([remove(idOf(posted[i]), ann.id, NOW)]);
    const { id: before } = posted[3] as { id: number };
    expect((await messages.page(room, { before, limit: 1 })).previousAt).toBeNull();
    expect((await messages.page(room, { before, limit: 1, removed: true })).previousAt).toBe(2);
  });

  test("of everything leaves an empty page and the head", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 2);
    for (const message of posted) await messages.write([remove(idOf(message), ann.id, NOW)]);
    const empty: Page = { messages: [], previousAt: null, head: 4 };
    expect(await messages.page(room, { limit: 10 })).toEqual(empty);
  });

  test("keeps its key: sent again, the message does not come back", async () => {
    const { messages, room, ann, say } = await scene(stores());
    const draft = say("hello");
    const [posted] = postedOf(await messages.write([draft]));
    await messages.write([remove(idOf(posted), ann.id, NOW)]);
    const [again] = await messages.write([draft]);
    expect(again).toMatchObject({
      outcome: "repeated",
      message: { id: posted?.id, text: "", deletedAt: NOW },
    });
    expect(textsOf(await messages.page(room, { limit: 10 }))).toEqual([]);
  });
}

export function findingMessages(stores: () => OpenStores): void {
  test("tells where each stands and who wrote it", async () => {
    const { messages, room, other, ann, bob, say } = await scene(stores());
    const drafts = [say("a"), say("b", { room: other, author: bob.id })];
    const [a, b] = postedOf(await messages.write(drafts));
    expect(await messages.find(idOf(a))).toMatchObject({ room, author: ann.id });
    expect(await messages.find(idOf(b))).toMatchObject({ room: other, author: bob.id });
    const [one, two] = [await messages.find(idOf(a)), await messages.find(idOf(b))];
    expect(one?.slug).not.toBe(two?.slug);
    for (const place of [one, two])
      expect((await stores().rooms.entry(place?.slug ?? "", null))?.room.id).toBe(place?.room as never);
  });

  test("finds neither what never was nor what was removed", async () => {
    const { messages, ann, posted } = await sceneOf(stores(), 1);
    const id = idOf(posted[0]);
    expect(await messages.find(id)).not.toBeNull();
    expect(await messages.find((id + 1_000_000) as MessageId)).toBeNull();
    expect(await messages.find(Number.MAX_SAFE_INTEGER as MessageId)).toBeNull();
    await messages.write([remove(id, ann.id, NOW)]);
    expect(await messages.find(id)).toBeNull();
  });
}
