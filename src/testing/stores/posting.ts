/** What every message log promises of writing. */
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Written } from "../../chat/ports.ts";
import type { ClientKey } from "../../shared/ids.ts";
import { type OpenStores, unique, addPerson } from "./open.ts";
import { changesOf, postedOf, numbersOf, outcomesOf, rejects, scene } from "./scene.ts";

const KEY_REUSED: Written = { outcome: "refused", code: "key_reused" };

export function posting(stores: () => OpenStores): void {
  test("numbers a room's messages from 1 on, in the order of the batch", async () => {
    const { messages, room, say } = await scene(stores());
    expect(numbersOf(await messages.write([say("a"), say("b")]))).toEqual([1, 2]);
    expect(numbersOf(await messages.write([say("c")]))).toEqual([3]);
    const { changes, head } = await changesOf(messages, room);
    expect(changes.map(({ text, seq, rev }) => [text, seq, rev])).toEqual([
      ["a", 1, 1],
      ["b", 2, 2],
      ["c", 3, 3],
    ]);
    expect(head).toBe(3);
  });

  test("gives ids that rise with the numbers", async () => {
    const { messages, say } = await scene(stores());
    const ids = postedOf(await messages.write([say("a"), say("b"), say("c")])).map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(3);
  });

  test("numbers each room for itself, within one batch too", async () => {
    const { messages, room, other, say } = await scene(stores());
    const batch = [say("a"), say("b", { room: other }), say("c"), say("d", { room: other })];
    expect(numbersOf(await messages.write(batch))).toEqual([1, 1, 2, 2]);
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(["a", "c"]);
    expect((await changesOf(messages, other)).changes.map(({ text }) => text)).toEqual(["b", "d"]);
  });

  test("answers with exactly what readers will get", async () => {
    const { messages, room, ann, say } = await scene(stores());
    const posted = postedOf(
      await messages.write([say("hello", { createdAt: 1_795_339_770_247 }), say("again")]),
    );
    expect((await changesOf(messages, room)).changes).toEqual(posted);
    expect(posted[0]).toMatchObject({
      author: ann.name,
      avatar: null,
      text: "hello",
      createdAt: 1_795_339_770_247,
    });
  });

  test("shows a sender's key to live readers only", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const [posted] = postedOf(await messages.write([draft]));
    expect(posted?.key).toBe(draft.key);
    const { messages: shown } = await messages.page(room, { limit: 1 });
    expect(shown[0]?.text).toBe("hello");
    expect(shown[0]?.key).toBeUndefined();
  });

  test("of nothing changes nothing", async () => {
    const { messages, room } = await scene(stores());
    expect(await messages.write([])).toEqual([]);
    expect((await changesOf(messages, room)).head).toBe(0);
  });

  test("keeps a text as it was sent", async () => {
    const { messages, room, say } = await scene(stores());
    // What the rules of the chat let through: no NUL, no half of a pair.
    const units = fc.array(fc.integer({ min: 1, max: 0xffff }));
    const texts = fc.sample(units, 200).map((all) => String.fromCharCode(...all).toWellFormed());
    texts.push(
      "  ' \" \\ %s $1 ?1 :a \r\n\t",
      "'; DROP TABLE messages; --",
      "e\u0301 é 😀 \u{10ffff} \ufeff",
    );
    await messages.write(texts.map((text) => say(text)));
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(texts);
  });

  test("a message again is a repeat: the same answer, stored once", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const [first] = await messages.write([draft]);
    await messages.write([say("between")]);
    const [again] = await messages.write([{ ...draft, createdAt: draft.createdAt + 1000 }]);
    expect(first?.outcome).toBe("stored");
    expect(again).toEqual({ ...first, outcome: "repeated" } as Written);
    expect((await changesOf(messages, room)).head).toBe(2);
  });

  test("a key again with another text is refused and takes no number", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    expect(outcomesOf(await messages.write([draft]))).toEqual(["stored"]);
    for (const text of ["hello!", "Hello", "hello ", "héllo"]) {
      expect(await messages.write([{ ...draft, text }])).toEqual([KEY_REUSED]);
    }
    const { changes, head } = await changesOf(messages, room);
    expect([head, changes[0]?.text]).toEqual([1, "hello"]);
  });

  test("a key again in another room is refused", async () => {
    const { messages, other, say } = await scene(stores());
    const draft = say("hello");
    expect(outcomesOf(await messages.write([draft]))).toEqual(["stored"]);
    expect(await messages.write([{ ...draft, room: other }])).toEqual([KEY_REUSED]);
    expect((await changesOf(messages, other)).head).toBe(0);
  });

  test("a key again within its own batch is a repeat, or refused", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const results = await messages.write([draft, say("between"), draft, { ...draft, text: "other" }]);
    expect(outcomesOf(results)).toEqual(["stored", "stored", "repeated", "key_reused"]);
    expect(numbersOf(results)).toEqual([1, 2, 1]);
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(["hello", "between"]);
  });

  test("two authors may use one key", async () => {
    const { messages, bob, say } = await scene(stores());
    const draft = say("hello");
    const results = await messages.write([draft, say("mine", { author: bob.id, key: draft.key })]);
    expect(outcomesOf(results)).toEqual(["stored", "stored"]);
    expect(postedOf(results)[1]?.author).toBe(bob.name);
  });

  test("keys that differ in case only are two keys", async () => {
    const { messages, say } = await scene(stores());
    const key = unique("key") as ClientKey;
    const other = key.toUpperCase() as ClientKey;
    expect(outcomesOf(await messages.write([say("a", { key }), say("b", { key: other })]))).toEqual([
      "stored",
      "stored",
    ]);
  });

  test("a batch of which something cannot be stored at all is not stored at all", async () => {
    const { messages, room, say } = await scene(stores());
    const good = say("good");
    const bad = say("bad", { text: null as never });
    expect(await rejects(messages.write([good, bad, say("after")]))).toBe(true);
    expect(await changesOf(messages, room)).toEqual({ head: 0, changes: [] });
    expect(numbersOf(await messages.write([good]))).toEqual([1]);
  });

  test("100 batches at once get the numbers 1 to n, each batch in its order", async () => {
    const { messages, room, ann, bob, say } = await scene(stores());
    const batches = Array.from({ length: 100 }, (_, batch) =>
      Array.from({ length: 1 + (batch % 5) }, (_item, i) =>
        say(`${batch}.${i}`, { author: batch % 2 === 0 ? ann.id : bob.id }),
      ),
    );
    const results = await Promise.all(batches.map((batch) => messages.write(batch)));

    const count = batches.flat().length;
    const all = results.flatMap(postedOf);
    expect(all.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: count }, (_, i) => i + 1),
    );
    for (const [i, result] of results.entries()) {
      const numbers = numbersOf(result);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(postedOf(result).map(({ text }) => text)).toEqual(batches[i]?.map(({ text }) => text) ?? []);
    }
    const { head, changes } = await changesOf(messages, room);
    expect(head).toBe(count);
    expect(changes).toEqual(all.toSorted((a, b) => a.seq - b.seq));
  });

  test("one message sent 50 times at once is stored once", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const results = await Promise.all(Array.from({ length: 50 }, () => messages.write([draft])));
    const outcomes = outcomesOf(results.flat());
    expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "repeated")).toHaveLength(49);
    expect(new Set(results.flatMap(numbersOf))).toEqual(new Set([1]));
    expect((await changesOf(messages, room)).head).toBe(1);
  });

  test("an author who is gone leaves the messages, under the name that they had", async () => {
    const { messages, room, say } = await scene(stores());
    const carl = await addPerson(stores());
    await stores().addMember(room, carl.id);
    await messages.write([say("hello", { author: carl.id })]);
    await stores().removeAccount(carl.id);
    const { messages: shown } = await messages.page(room, { limit: 1 });
    expect(shown[0]).toMatchObject({ author: carl.name, avatar: null, text: "hello" });
  });
}
