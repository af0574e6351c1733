/** The live pane: hydrates what the server drew and keeps it current. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Catalog } from "../src/shared/locale/locale.ts";
import type { Held, MessageView, SendRefusals } from "../src/shared/protocol.ts";
import type { Reading } from "../views/components/message.tsx";
import { Notices } from "../views/components/notices.tsx";
import { Pane, type PaneTexts } from "../views/components/pane.tsx";
import type { IslandProps } from "./element.ts";
import { openRoom } from "./room.ts";
import { ZONE } from "./zone.ts";

export interface PaneData {
  room: { slug: string; name: string };
  held: Omit<Held, "room">;
  messages: MessageView[];
  previousAt: number | null;
  reading: Reading;
  t: { room: PaneTexts; live: Catalog["live"]; refusals: SendRefusals | null };
  user: string | null;
  avatar: string | null;
}

/** A connection lost for less than this is not worth a word. Milliseconds. */
const OFFLINE_PATIENCE = 2_000;

/** Closer to the end than this counts as reading the newest message. Pixels. */
const AT_END = 40;

export function PaneIsland(props: PaneData & IslandProps) {
  const { held, messages, previousAt, reading, t, user, avatar, root } = props;
  const { slug, name } = props.room;
  const [room] = useState(() => openRoom({ slug, held, messages, user, avatar, refusals: t.refusals }));
  useEffect(() => () => room.leave(), [room]);

  // The first drawing is the server's to the letter; the second has the reader's own times.
  const [zone, setZone] = useState(reading.zone);
  useEffect(() => setZone(ZONE), []);

  const shown = room.messages.value;
  const justSent = shown.at(-1)?.delivery?.state === "sending";
  const { unseen, toEnd, following } = useScrolling(root.closest(".scroller"), shown.length, justSent);
  useReading(() => following.current && room.read(), [shown.length, room.standing.value]);
  const offline = useLasting(room.standing.value === "offline", OFFLINE_PATIENCE);
  const notice =
    room.standing.value === "reset" || room.standing.value === "removed"
      ? room.standing.value
      : room.signedOut.value
        ? "signed-out"
        : offline
          ? "offline"
          : null;

  return (
    <>
      <Pane
        roomName={name}
        messages={shown}
        previousAt={previousAt}
        reading={{ ...reading, zone }}
        t={t.room}
      />
      <Notices
        path={`/rooms/${slug}`}
        locale={reading.locale}
        t={t.live}
        {...{ unseen, notice, toEnd }}
        wait={room.wait.value}
      />
    </>
  );
}

/** True once something has been so for a while. */
function useLasting(so: boolean, milliseconds: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!so) return setLasting(false);
    const timer = setTimeout(() => setLasting(true), milliseconds);
    return () => clearTimeout(timer);
  }, [so, milliseconds]);
  return lasting;
}

/**
 * Whoever reads the newest message goes on doing so; whoever has scrolled up stays where they are and is told how many
 * messages have come. The scroller lies on its head (`column-reverse`): its end is at 0, and up is negative.
 */
function useScrolling(scroller: Element | null, count: number, justSent: boolean) {
  // Whoever scrolled up before this script came is left where they are.
  const following = useRef(isAtEnd(scroller));
  const drawn = useRef(count);
  const [unseen, setUnseen] = useState(0);
  const toEnd = useCallback(() => scroller?.scrollTo({ top: 0 }), [scroller]);

  useEffect(() => {
    const look = () => {
      following.current = isAtEnd(scroller);
      if (following.current) setUnseen(0);
    };
    scroller?.addEventListener("scroll", look, { passive: true });
    return () => scroller?.removeEventListener("scroll", look);
  }, [scroller]);

  useEffect(() => keepPlace(scroller), [scroller]);

  useLayoutEffect(() => {
    const more = count - drawn.current;
    drawn.current = count;
    if (following.current || justSent) toEnd();
    else if (more > 0) setUnseen((before) => before + more);
  }, [count, justSent, toEnd]);

  return { unseen, toEnd, following };
}

/** A message is read when it is in view of somebody: the window has the focus. */
function useReading(read: () => void, news: readonly unknown[]): void {
  useEffect(() => {
    const look = () => document.hasFocus() && read();
    look();
    addEventListener("focus", look);
    addEventListener("scrollend", look, { capture: true });
    return () => {
      removeEventListener("focus", look);
      removeEventListener("scrollend", look, { capture: true });
    };
  }, news);
}

function isAtEnd(scroller: Element | null): boolean {
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
