/**
 * Where somebody reads in the pane, and what is drawn of it for them. Whoever reads the newest message goes on doing so;
 * whoever has scrolled up stays where they are, and is told how many messages have come. The scroller lies on its head
 * (`column-reverse`): its end is at 0, and up is negative.
 */
import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ShownMessage } from "../views/components/message.tsx";
import { emptyHistory } from "./htmx.ts";
import type { Room } from "./room.ts";

/** Closer to the end than this counts as reading the newest message. Pixels. */
const AT_END = 40;

/** Messages that are drawn: beyond these the oldest go, so many that the next go only after a while. */
const DRAWN_MAX = 250;
const DRAWN_KEPT = 200;

export interface Scrolling {
  drawn: readonly ShownMessage[];
  /** Messages that came while the reader was further up. */
  unseen: number;
  isFollowing: boolean;
  toEnd(): void;
}

export function useScrolling(scroller: Element | null, room: Room): Scrolling {
  const messages = room.messages.value;
  const pending = room.pending.value;
  const all = [...messages, ...pending];
  // Whoever scrolled up before this script came is left where they are.
  const [isFollowing, setFollowing] = useState(() => isAtEnd(scroller));
  const [jumps, setJumps] = useState(0);
  const toEnd = useCallback(() => {
    setFollowing(true);
    setJumps((before) => before + 1);
  }, []);
  // Further up nothing goes, because it would leave a hole: what comes has to wait.
  const drawn = isFollowing ? all.slice(-DRAWN_MAX) : all.slice(0, DRAWN_MAX);
  const isWhole = isFollowing || drawn.length === all.length;
  const last = messages.at(-1)?.seq ?? 0;
  const seen = useRef(last);
  const anchor = useRef<{ row: Element; bottom: number } | null>(null);

  const drop = (count: number) => {
    room.drop(count);
    void emptyHistory();
  };

  // Not after the next frame: whoever scrolls before it is noticed too.
  useLayoutEffect(() => {
    const look = () => {
      const isThere = isAtEnd(scroller);
      if (isThere) seen.current = drawn.at(-1)?.seq ?? 0;
      setFollowing(isThere && isWhole);
      if (!isThere || isWhole) return;
      // The next messages take the place of the oldest; this one stays where it is.
      const row = [...(scroller?.querySelectorAll("[role=log] li") ?? [])].at(-1);
      anchor.current = row ? { row, bottom: row.getBoundingClientRect().bottom } : null;
      drop(DRAWN_MAX / 2);
    };
    scroller?.addEventListener("scroll", look, { passive: true });
    return () => scroller?.removeEventListener("scroll", look);
  });

  useLayoutEffect(() => {
    if (!isFollowing) return;
    seen.current = last;
    scroller?.scrollTo({ top: 0 });
    if (messages.length > DRAWN_MAX) drop(messages.length - DRAWN_KEPT);
  }, [messages.length, last, pending.length, jumps]);

  useLayoutEffect(() => {
    if (anchor.current && scroller) {
      const { row, bottom } = anchor.current;
      scroller.scrollTop += row.getBoundingClientRect().bottom - bottom;
    }
    anchor.current = null;
  }, [drawn[0]?.seq]);

  const newest = pending.at(-1);
  useLayoutEffect(() => {
    if (newest?.delivery?.state === "sending") toEnd();
  }, [newest?.key]);

  // After whatever leads to the end.
  useLayoutEffect(() => keepPlace(scroller), [scroller]);

  const unseen = isFollowing ? 0 : messages.filter(({ seq }) => seq > seen.current).length;
  return { drawn, unseen, isFollowing, toEnd };
}

export function isAtEnd(scroller: Element | null): boolean {
  return !scroller || scroller.scrollTop > -AT_END;
}

/** Whoever comes back by the browser's button finds the place they left: each entry of its history keeps one. */
function keepPlace(scroller: Element | null): () => void {
  const [visit] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const { place } = (history.state ?? {}) as { place?: number };
  if (visit?.type === "back_forward" && place !== undefined) scroller?.scrollTo({ top: place });
  const keep = () => history.replaceState({ ...history.state, place: scroller?.scrollTop }, "");
  scroller?.addEventListener("scrollend", keep);
  return () => scroller?.removeEventListener("scrollend", keep);
}
