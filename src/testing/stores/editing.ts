/** What every message log promises of another text for a message. */
import { expect, test } from "bun:test";
import type { MessageId } from "../../shared/ids.ts";
import { type OpenStores } from "./open.ts";
import { changesOf, edit, idOf, outcomesOf, postedOf, remove, scene, sceneOf, textsOf } from "./scene.ts";

const NOW = 1_795_339_770_247;

export function editing(stores: () => OpenStores): void {
  test("takes the place of the text, keeps the message's own place, and is a change like any other", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 3);
    const id = idOf(posted[1]);
    const edited = await messages.write([edit(id, ann.id, "better", NOW)]);
    const reworded = { ...posted[1], text: "better", rev: 4, editedAt: NOW };
    expect(edited).toMatchObject([{ outcome: "stored", room: { id: room }, message: reworded }]);
    const { head, changes } = await changesOf(messages, room);
    expect(head).toBe(4);
    expect(changes.map(({ seq, rev, text }) => [seq, rev, text])).toEqual([
      [1, 1, "1"],
      [3, 3, "3"],
      [2, 4, "better"],
    ]);
    expect(changes.slice(2)).toEqual(postedOf(edited));
    expect(textsOf(await messages.page(room, { limit: 3 }))).toEqual(["1", "better", "3"]);
  });

  test("to what it says already changes nothing", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 1);
    const id = idOf(posted[0]);
    const known = await changesOf(messages, room);
    expect(await messages.write([edit(id, ann.id, "1", NOW)])).toMatchObject([
      { outcome: "repeated", message: { id, rev: 1, editedAt: null } },
    ]);
    expect(await changesOf(messages, room)).toEqual(known);
  });

  test("is its author's alone, for as long as they may write there", async () => {
    const { messages, room, ann, bob, posted } = await sceneOf(stores(), 1);
    const id = idOf(posted[0]);
    const tries = async (author = ann.id) => outcomesOf(await messages.write([edit(id, author, "x", NOW)]));
    expect(await tries(bob.id)).toEqual(["forbidden"]);
    await stores().accounts.update(ann.id, { isMuted: true });
    expect(await tries()).toEqual(["muted"]);
    await stores().accounts.update(ann.id, { isMuted: false });
    await stores().rooms.update(room, { isClosed: true });
    expect(await tries()).toEqual(["room_closed"]);
    await stores().rooms.update(room, { isClosed: false });
    await stores().members.setRole(room, ann.id, "removed");
    expect(await tries()).toEqual(["not_found"]);
    expect(await changesOf(messages, room)).toMatchObject({ head: 1, changes: [{ text: "1" }] });
    await stores().members.setRole(room, ann.id, "member");
    expect(await tries()).toEqual(["stored"]);
  });

  test("of a message that is removed, or never was, is not found", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 1);
    const id = idOf(posted[0]);
    const removed = [
      edit(id, ann.id, "before", NOW),
      remove(id, ann.id, NOW),
      edit(id, ann.id, "after", NOW),
    ];
    expect(outcomesOf(await messages.write(removed))).toEqual(["stored", "stored", "not_found"]);
    const missing = edit(1_000_000_000 as MessageId, ann.id, "x", NOW);
    expect(outcomesOf(await messages.write([missing]))).toEqual(["not_found"]);
    const tombstone = { text: "", rev: 3, deletedAt: NOW, editedAt: NOW };
    expect(await changesOf(messages, room)).toMatchObject({ head: 3, changes: [tombstone] });
  });

  test("of one message many times in a batch gives each its number, and keeps the last", async () => {
    const { messages, room, ann, posted } = await sceneOf(stores(), 1);
    const id = idOf(posted[0]);
    const batch = ["a", "b", "b", "c"].map((text, i) => edit(id, ann.id, text, NOW + i));
    const written = await messages.write(batch);
    expect(outcomesOf(written)).toEqual(["stored", "stored", "repeated", "stored"]);
    expect(postedOf(written).map(({ rev, text }) => [rev, text])).toEqual([
      [2, "a"],
      [3, "b"],
      [3, "b"],
      [4, "c"],
    ]);
    const { head, changes } = await changesOf(messages, room);
    expect([head, changes.length, changes[0]?.text]).toEqual([4, 1, "c"]);
  });

  test("among posts and removals leaves the numbers without a gap, in the order of the batch", async () => {
    const { messages, room, ann, say, posted } = await sceneOf(stores(), 10);
    const batches = posted.map((message) => [
      say(`after ${message.seq}`),
      edit(idOf(message), ann.id, "again", NOW),
      remove(idOf(message), ann.id, NOW),
    ]);
    const written = await Promise.all(batches.map((batch) => messages.write(batch)));
    const numbers = written.flatMap(postedOf).map(({ rev }) => rev);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => 11 + i));
    for (const batch of written) {
      const given = postedOf(batch).map(({ rev }) => rev);
      expect(given).toEqual(given.toSorted((a, b) => a - b));
    }
    expect((await changesOf(messages, room)).head).toBe(40);
  });

  test("lets its key be sent again with the first text or the last: it stays as it is", async () => {
    const { messages, room, ann, say } = await scene(stores());
    const draft = say("first");
    const [posted] = postedOf(await messages.write([draft]));
    expect(outcomesOf(await messages.write([{ ...draft, text: "other" }]))).toEqual(["key_reused"]);
    await messages.write([edit(idOf(posted), ann.id, "last", NOW)]);
    for (const text of ["first", "last"])
      expect(await messages.write([{ ...draft, text }])).toMatchObject([
        { outcome: "repeated", message: { id: posted?.id, text: "last", rev: 2 } },
      ]);
    expect((await changesOf(messages, room)).head).toBe(2);
  });
}
