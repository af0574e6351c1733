import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { ClientKey } from "./ids.ts";
import { next, refuse, refuseAll, retry, settle, type Outbox } from "./outbox.ts";

const three: Outbox = ["one", "two", "three"].map((text, i) => ({
  key: `key-of-${text}` as ClientKey,
  text,
  createdAt: i,
  refusal: null,
}));

const keys = (...texts: string[]) => new Set(texts.map((text) => `key-of-${text}`));
const texts = (outbox: Outbox) => outbox.map(({ text }) => text);

describe("what somebody has written", () => {
  test("goes out in the order of writing, the next when the first is settled", () => {
    expect(next(three)?.text).toBe("one");
    expect(next(settle(three, keys("one")))?.text).toBe("two");
    expect(next([])).toBeNull();
  });

  test("is settled by its key, whatever else comes with it", () => {
    expect(texts(settle(three, new Set([...keys("two"), "key-of-another", undefined])))).toEqual([
      "one",
      "three",
    ]);
  });

  test("stays the same list when nothing of it is settled", () => {
    expect(settle(three, keys("four"))).toBe(three);
  });
});

describe("a message that is refused", () => {
  const refused = refuse(three, "key-of-one", "muted");

  test("stays, with the reason, and lets the next go out", () => {
    expect(texts(refused)).toEqual(["one", "two", "three"]);
    expect(refused[0]?.refusal).toBe("muted");
    expect(next(refused)?.text).toBe("two");
  });

  test("goes out behind the others when it is tried again, with its own key", () => {
    const tried = retry(refused, "key-of-one");
    expect(texts(tried)).toEqual(["two", "three", "one"]);
    expect(tried.at(-1)).toEqual({ ...three[0], refusal: null } as Outbox[number]);
  });

  test("that is not there any more cannot be tried again", () => {
    expect(retry(three, "key-of-four")).toBe(three);
  });
});

test("when nothing may be written any more, nothing goes out", () => {
  const refused = refuseAll(three, "not_found");
  expect(next(refused)).toBeNull();
  expect(texts(refused)).toEqual(texts(three));
});

test("whatever is lost or answered twice, everything is stored once, and in the order of writing", () => {
  const fate = fc.constantFrom("answered", "lost on the way", "answer lost", "answered twice");
  fc.assert(
    fc.property(fc.nat(10), fc.array(fate, { maxLength: 30 }), (count, fates) => {
      const written = Array.from({ length: count }, (_, i) => `${i}`);
      let outbox: Outbox = written.map((text) => {
        return { key: `key-of-${text}` as ClientKey, text, createdAt: 0, refusal: null };
      });
      const stored = new Map<string, string>();
      for (let message = next(outbox); message; message = next(outbox)) {
        const happens = fates.shift() ?? "answered";
        if (happens !== "lost on the way") stored.set(message.key, message.text);
        const isAnswered = happens === "answered" || happens === "answered twice";
        if (isAnswered) outbox = settle(outbox, new Set([message.key]));
        if (happens === "answered twice") outbox = settle(outbox, new Set([message.key]));
      }
      expect([...stored.values()]).toEqual(written);
    }),
  );
});
