/** Paging back: the row above a stretch of messages, what comes in by it, and rows drawn anew. */
import type { ComponentChildren } from "preact";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { toRows, type ReadMark } from "../../src/shared/rows.ts";
import { Message, type Reading } from "./message.tsx";
import { Messages, type MessagesProps } from "./messages.tsx";

export type OlderTexts = Pick<Catalog["room"], "older" | "beginning">;

export interface OlderProps {
  /** The first message of the stretch. */
  before: number;
  more: boolean;
  room: string;
  mark: ReadMark | null;
  t: OlderTexts;
  /** Where htmx puts the page before: in place of this row by default. */
  into?: string;
}

/** A link to the page before; or the beginning of the room. */
export function Older({ before, more, room, mark, t, into }: OlderProps) {
  if (!more) return <li class="older">{t.beginning}</li>;
  const href = `/rooms/${room}?before=${before}${mark ? `&unread=${mark.after}` : ""}`;
  return (
    <li class="older">
      <a
        class="quiet button"
        href={href}
        hx-get={href}
        hx-target={into ?? "closest li"}
        hx-swap={into ? "innerHTML" : "outerHTML"}
      >
        {t.older}
      </a>
    </li>
  );
}

export function OlderMessages({ t, ...list }: MessagesProps & { t: OlderTexts }) {
  const { messages, previousAt, reading, mark = null } = list;
  const before = messages[0]?.id;
  return (
    <>
      {before && <Older {...{ before, mark, t }} more={previousAt !== null} room={reading.room} />}
      <Messages {...list} />
    </>
  );
}

/** Each message after the one that it stands under, if there is one; htmx puts it in the place of what it was. */
export function Redrawn({ rows, reading }: { rows: readonly (readonly MessageView[])[]; reading: Reading }) {
  return (
    <>
      {rows.map((neighbours) => {
        const row = toRows(neighbours, reading.zone, null).at(-1);
        if (row?.kind !== "message") return null;
        return (
          <hx-partial key={row.message.id} hx-target={`#history #m${row.message.id}`} hx-swap="outerMorph">
            <Message message={row.message} reading={reading} grouped={row.grouped} />
          </hx-partial>
        );
      })}
    </>
  );
}

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "hx-partial": { key: number; "hx-target": string; "hx-swap": string; children: ComponentChildren };
    }
  }
}
