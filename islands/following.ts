/** The messages of a room as they come: what is missing is asked for by itself. */
import { signal, type ReadonlySignal } from "@preact/signals";
import {
  drop,
  greeted,
  look,
  nextLook,
  receiveCaughtUp,
  receiveChanges,
  receiveHead,
  receiveRefusal,
  type Follower,
  type Step,
} from "../src/shared/follower.ts";
import type { ServerFrame } from "../src/shared/protocol.ts";
import type { Timeline } from "../src/shared/timeline.ts";

type NumberFrame = Extract<ServerFrame, { type: "changes" | "caught-up" | "head" | "refusal" }>;

export interface Following {
  timeline: ReadonlySignal<Timeline>;
  /** When the message before the first was written, if there is one. */
  previousAt: ReadonlySignal<number | null>;
  /** A hello goes out; answers with the number held. */
  hello(): number;
  received(frame: NumberFrame): void;
  /** The oldest messages are history's from now on. */
  drop(count: number): void;
  stop(): void;
}

/** `ask`: what follows the number held is wanted. */
export function follow(
  first: Timeline,
  firstPreviousAt: number | null,
  ask: (rev: number) => void,
): Following {
  let follower: Follower = { timeline: first, isAsking: false, behindSince: null };
  const timeline = signal(first);
  const previousAt = signal(firstPreviousAt);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function take(step: Step): void {
    follower = step.follower;
    timeline.value = follower.timeline;
    if (step.ask) ask(follower.timeline.rev);
    clearTimeout(timer);
    const due = nextLook(follower);
    if (due !== null) timer = setTimeout(() => take(look(follower, Date.now())), due - Date.now());
  }

  return {
    timeline,
    previousAt,

    hello() {
      take({ follower: greeted(follower), ask: false });
      return follower.timeline.rev;
    },

    received(frame) {
      switch (frame.type) {
        case "changes":
          return take(receiveChanges(follower, frame));
        case "caught-up":
          return take(receiveCaughtUp(follower, frame.rev));
        case "head":
          return take({ follower: receiveHead(follower, frame.head, Date.now()), ask: false });
        case "refusal":
          return take({ follower: receiveRefusal(follower, Date.now()), ask: false });
      }
    },

    drop(count) {
      previousAt.value = timeline.value.messages[count - 1]?.createdAt ?? previousAt.value;
      take({ follower: drop(follower, count), ask: false });
    },

    stop: () => clearTimeout(timer),
  };
}
