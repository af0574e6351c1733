/** The live pane: hydrates what the server drew and keeps it current. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Catalog } from "../src/shared/locale/locale.ts";
import type { Held, MessageView, SendRefusals } from "../src/shared/protocol.ts";
import type { ReadMark } from "../src/shared/rows.ts";
import type { Reading } from "../views/components/message.tsx";
import { Notices } from "../views/components/notices.tsx";
import { Pane, type PaneTexts } from "../views/components/pane.tsx";
import type { IslandProps } from "./element.ts";
import { keepHistoryCurrent } from "./history.ts";
import { driveInView } from "./htmx.ts";
import { openRoom, type Room } from "./room.ts";
import { isAtEnd, useScrolling } from "./scrolling.ts";
import type { Writer } from "./writer.ts";
import { ZONE } from "./zone.ts";

export interface PaneData {
  room: { slug: string; name: string };
  held: Omit<Held, "room">;
  messages: MessageView[];
  previousAt: number | null;
  mark: ReadMark | null;
  reading: Reading;
  t: { room: PaneTexts; live: Catalog["live"]; refusals: SendRefusals | null };
  user: Writer | null;
  avatar: string | null;
}

/** A connection lost for less than this is not worth a word. Milliseconds. */
const OFFLINE_PATIENCE = 2_000;

export function PaneIsland({ root, ...props }: PaneData & IslandProps) {
  const { reading, t } = props;
  const { slug, name } = props.room;
  const scroller = root.closest(".scroller");
  const [room] = useState(() => {
    const isSeen = () => document.hasFocus() && isAtEnd(scroller);
    return openRoom({ ...props, slug, refusals: t.refusals, isSeen });
  });
  useEffect(() => () => room.leave(), [room]);
  useEffect(() => keepHistoryCurrent(slug), [slug]);

  // The first drawing is the server's to the letter; the second has the reader's own times.
  const [zone, setZone] = useState(reading.zone);
  useEffect(() => setZone(ZONE), []);

  const { drawn, unseen, isFollowing, toEnd } = useScrolling(scroller, room);
  useReading(() => isFollowing && room.read(), [isFollowing, drawn.at(-1)?.seq, room.standing.value]);
  const previousAt = room.previousAt.value;
  useEffect(() => driveInView(root), [previousAt === null]);
  const offline = useLasting(room.standing.value === "offline", OFFLINE_PATIENCE);

  return (
    <>
      <Pane
        roomName={name}
        messages={drawn}
        previousAt={previousAt}
        mark={room.mark.value}
        reading={{ ...reading, zone }}
        t={t.room}
      />
      <Notices
        path={`/rooms/${slug}`}
        locale={reading.locale}
        t={t.live}
        {...{ unseen, toEnd }}
        notice={noticeOf(room, offline)}
        wait={room.wait.value}
        writers={room.writers.value}
      />
    </>
  );
}

/** The most important thing to say of how the connection stands. */
function noticeOf({ standing: { value: standing }, signedOut }: Room, offline: boolean) {
  if (standing === "reset" || standing === "stale") return standing;
  if (signedOut.value) return "signed-out";
  if (standing === "removed") return standing;
  return offline ? "offline" : null;
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

/** A message is read once it stands in view of somebody: the window has the focus as it is drawn, or gets it. */
function useReading(read: () => void, news: readonly unknown[]): void {
  useLayoutEffect(() => {
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
