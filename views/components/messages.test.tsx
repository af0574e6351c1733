import { describe, expect, test } from "bun:test";
import { toChildArray, type VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import { en } from "../../src/shared/locale/en.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { tags } from "../../src/testing/html.ts";
import { Messages, type MessagesProps } from "./messages.tsx";

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 22, 12);

describe("a stretch of messages", () => {
  test("has a row for each day and each message", () => {
    const rows = drawn([message(1, NOON), message(2, NOON + MINUTE), message(3, NOON + 1440 * MINUTE)]);
    expect(rows.map(({ attributes }) => attributes["class"])).toEqual([
      "day",
      "message",
      "message grouped",
      "day",
      "message",
    ]);
    expect(rows[0]?.text).toBe("Sunday, November 22, 2026");
    expect(rows.map(({ attributes }) => attributes["id"])).toEqual([undefined, "m1", "m2", undefined, "m3"]);
  });

  test("marks one message and no other", () => {
    const rows = drawn([message(1, NOON), message(2, NOON)], { target: 2, previousAt: NOON });
    const marked = rows.map(({ attributes }) => attributes["class"]?.includes("target"));
    expect(marked).toEqual([false, false, true]);
  });
});

describe("a row's key in the list", () => {
  test("stays the same when a message that was on its way gets its place", () => {
    const sent = { ...message(0, NOON), key: "abcdefgh" };
    const placed = { ...message(9, NOON), key: "abcdefgh" };
    expect(keysOf([sent])).toEqual(keysOf([placed]));
  });

  test("is its own when two people chose the same client key", () => {
    const rows = [
      { ...message(1, NOON), key: "abcdefgh" },
      { ...message(2, NOON), author: "bob", key: "abcdefgh" },
    ];
    expect(new Set(keysOf(rows)).size).toBe(3);
  });

  test("is its own when somebody's client key looks like a message's id", () => {
    const rows = [message(12, NOON), { ...message(13, NOON), author: "bob", key: "00000012" }];
    const [, first, second] = keysOf(rows);
    // oxlint-disable-next-line eqeqeq -- as the library compares keys: to it "00000012" is 12
    expect(first == second).toBe(false);
  });

  test("is its own when the clock steps back over midnight", () => {
    const midnight = Date.UTC(2026, 10, 23);
    const times = [midnight - 1, midnight, midnight - 1];
    const keys = keysOf(times.map((at, i) => message(i + 1, at)));
    expect(keys).toHaveLength(6);
    expect(new Set(keys).size).toBe(6);
  });
});

const READING = { room: "public", me: null, locale: "en", zone: "UTC", t: en.message };

function drawn(messages: MessageView[], more: Partial<MessagesProps> = {}) {
  const list = <Messages messages={messages} previousAt={null} reading={READING} {...more} />;
  return tags(renderToString(list), "li");
}

function keysOf(messages: MessageView[]): unknown[] {
  const list: VNode<{ children?: VNode[] }> = Messages({ messages, previousAt: null, reading: READING });
  return toChildArray(list.props.children).map((row) => (row as VNode).key);
}

function message(id: number, createdAt: number): MessageView {
  return { id, seq: id, rev: id, author: "ann", avatar: null, text: "hello", createdAt };
}
