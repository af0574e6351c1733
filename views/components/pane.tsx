/** The newest messages of a room, announced as they come. Drawn by the server, then kept live by its island. */
import { fill } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { Older, type OlderTexts } from "./history.tsx";
import { Messages, type MessagesProps } from "./messages.tsx";

export type PaneTexts = Pick<Catalog["room"], "log" | "empty"> & OlderTexts;

export interface PaneProps extends MessagesProps {
  roomName: string;
  t: PaneTexts;
}

/** The link above it fills `#history`, which stands before it, and is hidden while something is there. */
export function Pane({ roomName, t, ...list }: PaneProps) {
  const { messages, previousAt, reading, mark = null } = list;
  const first = messages.find(({ id }) => id > 0);
  return (
    <>
      <ol class="messages">
        {first && (
          <Older
            {...{ mark, t }}
            before={first.id}
            more={previousAt !== null}
            room={reading.room}
            into="#history"
          />
        )}
      </ol>
      <div role="log" aria-relevant="additions" aria-label={fill(t.log, { room: roomName })}>
        {messages.length === 0 && previousAt === null && <p class="empty">{t.empty}</p>}
        <ol class="messages">
          <Messages {...list} />
        </ol>
      </div>
    </>
  );
}
