/** The reader's rooms, with what comes in elsewhere counted as it comes. */
import { useEffect, useState } from "preact/hooks";
import { UNREAD_MAX } from "../src/shared/limits.ts";
import { RoomList, type RoomListProps } from "../views/components/room-list.tsx";
import type { IslandProps } from "./element.ts";
import { joinPageSocket } from "./page-socket.ts";

export interface RoomsData extends RoomListProps {
  /** Their own messages are no news to them. */
  user: string;
}

export function RoomsIsland({ rooms, user, ...list }: RoomsData & IslandProps) {
  const [counts, setCounts] = useState<Readonly<Record<string, number>>>({});
  useEffect(() => {
    const socket = joinPageSocket({
      opened: () => void socket.send({ type: "unread" }),
      received(frame) {
        if (frame.type === "unread")
          setCounts(Object.fromEntries(frame.rooms.map(({ room, unread }) => [room, unread])));
        if (frame.type === "news") {
          const more = frame.authors.filter((author) => author !== user).length;
          setCounts((before) => ({ ...before, [frame.room]: (before[frame.room] ?? 0) + more }));
        }
      },
      lost() {},
    });
    return socket.close;
  }, [user]);
  const shown = rooms.map((room) => ({
    ...room,
    unread: Math.min(counts[room.slug] ?? room.unread, UNREAD_MAX),
  }));
  return <RoomList rooms={shown} {...list} />;
}
