/** The newest messages of a room, announced as they come. Drawn by the server, then kept live by its island. */
import { fill } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { Messages, type MessagesProps } from "./messages.tsx";

export type PaneTexts = Pick<Catalog["room"], "log" | "empty">;

export interface PaneProps extends MessagesProps {
  roomName: string;
  t: PaneTexts;
}

export function Pane({ roomName, t, ...list }: PaneProps) {
  return (
    <div role="log" aria-relevant="additions" aria-label={fill(t.log, { room: roomName })}>
      {list.messages.length === 0 && list.previousAt === null && <p class="empty">{t.empty}</p>}
      <ol class="messages">
        <Messages {...list} />
      </ol>
    </div>
  );
}
