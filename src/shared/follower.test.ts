import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  drop,
  greeted,
  HEAD_PATIENCE,
  look,
  nextLook,
  receiveCaughtUp,
  receiveChanges,
  receiveHead,
  receiveRefusal,
  type Follower,
  type Step,
} from "./follower.ts";
import type { Changes, MessageView } from "./protocol.ts";

/** When the tests happen. Milliseconds. */
const NOW = 1_000_000;

describe("somebody who follows a room", () => {
  test("asks for nothing as long as every number comes after the one before", () => {
    const { follower, asked } = hear(live(3), stretch(3, 4), stretch(4, 6));
    expect(follower.timeline.rev).toBe(6);
    expect(asked).toBe(0);
  });

  test("asks once when numbers are missing, however many come after the gap", () => {
    const { follower, asked } = hear(live(3), stretch(4, 5), stretch(5, 6), stretch(6, 7));
    expect(asked).toBe(1);
    expect(follower.timeline.rev).toBe(3);
  });

  test("may ask again when the answer is complete", () => {
    const answered = hear(live(3), stretch(4, 5), stretch(3, 5)).follower;
    const { follower } = receiveCaughtUp(answered, 5);
    expect(follower).toMatchObject({ isAsking: false, behindSince: null });
    expect(hear(follower, stretch(6, 7)).asked).toBe(1);
  });

  test("asks again when part of an answer was lost on the way", () => {
    const asking = hear(live(3), stretch(4, 5)).follower;
    expect(receiveCaughtUp(asking, 5)).toMatchObject({ ask: true, follower: { isAsking: true } });
    expect(receiveCaughtUp(hear(asking, stretch(3, 5)).follower, 5).ask).toBe(false);
  });

  test("asks for nothing before the answer to the hello has come", () => {
    const { follower, asked } = hear(greeted(live(3)), stretch(5, 6));
    expect(asked).toBe(0);
    expect(hear(follower, stretch(3, 6)).follower.timeline.rev).toBe(6);
  });
});

describe("a head above the last number held", () => {
  const behind = receiveHead(live(3), 4, NOW);

  test("is waited for, and asked for after two seconds", () => {
    expect(nextLook(behind)).toBe(NOW + HEAD_PATIENCE);
    expect(look(behind, NOW + HEAD_PATIENCE - 1).ask).toBe(false);
    expect(look(behind, NOW + HEAD_PATIENCE)).toMatchObject({ ask: true, follower: { isAsking: true } });
  });

  test("counts from the first time that it was told", () => {
    const again = receiveHead(behind, 5, NOW + HEAD_PATIENCE - 1);
    expect(look(again, NOW + HEAD_PATIENCE).ask).toBe(true);
  });

  test("is forgotten when the changes come", () => {
    const { follower } = hear(behind, stretch(3, 4));
    expect(nextLook(follower)).toBeNull();
    expect(look(follower, NOW + 60_000).ask).toBe(false);
  });

  test("is remembered when what comes is known already", () => {
    expect(nextLook(hear(behind, stretch(2, 3)).follower)).toBe(NOW + HEAD_PATIENCE);
  });

  test("that is the number held means that nothing is missing", () => {
    expect(nextLook(receiveHead(behind, 3, NOW))).toBeNull();
  });
});

describe("an answer that never comes", () => {
  const { follower: asking } = look(receiveHead(live(3), 4, NOW), NOW + HEAD_PATIENCE);

  test("is asked for again after ten seconds in which nothing came", () => {
    const reminded = receiveHead(asking, 4, NOW + 20_000);
    expect(look(reminded, NOW + 29_999).ask).toBe(false);
    expect(look(reminded, NOW + 30_000).ask).toBe(true);
  });

  test("is not asked for again while part after part of it comes", () => {
    const reminded = receiveHead(asking, 9, NOW + 20_000);
    expect(look(hear(reminded, stretch(3, 4)).follower, NOW + 60_000).ask).toBe(false);
  });

  test("because the server could not give it is asked for after two seconds", () => {
    const refused = receiveRefusal(asking, NOW + 5_000);
    expect(look(refused, NOW + 6_999).ask).toBe(false);
    expect(look(refused, NOW + 7_000).ask).toBe(true);
  });
});

test("a refusal of something else changes nothing", () => {
  expect(receiveRefusal(live(3), NOW)).toEqual(live(3));
});

describe("a message that was changed after it was missed", () => {
  const changed = { ...message(4), rev: 8, text: "changed" };
  const first = { from: 3, to: 6, changes: [message(5), message(6)] };
  const second = { from: 6, to: 8, changes: [message(7), changed] };
  const held = hear(live(0), stretch(0, 3)).follower;

  test("comes to its place, though its neighbours came in an earlier stretch", () => {
    const { follower } = hear(greeted(held), first, second);
    expect(receiveCaughtUp(follower, 8).follower.timeline).toEqual({
      rev: 8,
      messages: [1, 2, 3].map(message).concat(changed, [5, 6, 7].map(message)),
    });
  });

  test.each([
    ["the socket is lost", greeted],
    [
      "the rest is refused",
      (half: Follower) => look(receiveRefusal(half, NOW), NOW + HEAD_PATIENCE).follower,
    ],
  ])("and though in between %s", (_, between) => {
    const half = between(hear(greeted(held), first).follower);
    expect(placesOf(hear(half, second).follower)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("comes to its place where a node had missed it, and nobody here has asked", () => {
    expect(placesOf(hear(held, first, second).follower)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("is history's where it was not missed but never held", () => {
    const { follower } = hear(drop(hear(held, stretch(3, 6)).follower, 4), second);
    expect(placesOf(follower)).toEqual([5, 6, 7]);
  });
});

test("the rest of an answer that is refused is asked for again, though a part of it was still on its way", () => {
  const refused = receiveRefusal(greeted(live(3)), NOW);
  const { follower } = hear(refused, stretch(3, 5));
  expect(look(follower, NOW + HEAD_PATIENCE)).toMatchObject({ ask: true, follower: { isAsking: true } });
});

test("whatever is lost, doubled or refused, everything is here when nothing is lost any more", () => {
  const happening = fc.record({
    kind: fc.constantFrom("change", "lost", "doubled", "head", "refusal", "socket", "part", "answer"),
    size: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      let [head, now] = [3, NOW];
      let follower = greeted(live(0));
      const step = ({ follower: after }: Step) => void (follower = after);
      const held = () => follower.timeline.rev;
      const answer = () => {
        step(receiveChanges(follower, stretch(held(), head)));
        step(receiveCaughtUp(follower, head));
      };
      for (const { kind, size } of happenings) {
        now += 1_000;
        if (kind === "change" || kind === "lost" || kind === "doubled") {
          const told = stretch(head, (head += size));
          if (kind !== "lost") step(receiveChanges(follower, told));
          if (kind === "doubled") step(receiveChanges(follower, told));
        }
        if (kind === "head") follower = receiveHead(follower, head, now);
        if (kind === "refusal") follower = receiveRefusal(follower, now);
        if (kind === "socket") follower = greeted(follower);
        if (kind === "part" && held() < head) step(receiveChanges(follower, stretch(held(), held() + 1)));
        if (kind === "answer" && follower.isAsking) answer();
        step(look(follower, now));
      }
      for (let round = 0; round < 3; round++) {
        if (follower.isAsking) answer();
        follower = receiveHead(follower, head, now);
        step(look(follower, (now += HEAD_PATIENCE)));
      }
      expect(follower).toMatchObject({ isAsking: false, behindSince: null });
      expect(placesOf(follower)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
    }),
    { numRuns: 500 },
  );
});

test("messages that were dropped do not come back with a change of theirs", () => {
  const { follower } = hear(drop(hear(live(0), stretch(0, 5)).follower, 3), {
    from: 5,
    to: 6,
    changes: [{ ...message(2), rev: 6, text: "edited" }],
  });
  expect(follower.timeline).toEqual({ rev: 6, messages: [message(4), message(5)] });
});

test("nor do those that were dropped before everything missed was here", () => {
  const half = drop(hear(greeted(live(0)), stretch(0, 5)).follower, 3);
  const rest = { from: 5, to: 7, changes: [message(6), { ...message(2), rev: 7, text: "edited" }] };
  expect(placesOf(hear(half, rest).follower)).toEqual([4, 5, 6]);
});

/** Somebody who holds everything up to a number and has been told that this is all. */
function live(rev: number): Follower {
  return { timeline: { rev, messages: [] }, isAsking: false, behindSince: null };
}

function hear(follower: Follower, ...frames: Omit<Changes, "room">[]): { follower: Follower; asked: number } {
  let asked = 0;
  let step: Step = { follower, ask: false };
  for (const frame of frames) {
    step = receiveChanges(step.follower, frame);
    if (step.ask) asked++;
  }
  return { follower: step.follower, asked };
}

function stretch(from: number, to: number): Omit<Changes, "room"> {
  return { from, to, changes: Array.from({ length: to - from }, (_, i) => message(from + i + 1)) };
}

function placesOf({ timeline }: Follower): number[] {
  return timeline.messages.map(({ seq }) => seq);
}

function message(seq: number): MessageView {
  return { id: seq, seq, rev: seq, author: "ann", avatar: null, text: `text ${seq}`, createdAt: seq };
}
