/** Paging back: the row at the top of a list, and the fragment that replaces it. */
import type { Catalog } from "../../src/shared/locale/locale.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import type { Reading } from "./message.tsx";
import { DayName, Messages, type MessagesProps } from "./messages.tsx";

/** A link to the page before, which htmx puts in the place of this row; or the beginning of the room. */
export function Older(props: { before: MessageView; more: boolean; t: Catalog["room"]; reading: Reading }) {
  const { before, more, t, reading } = props;
  if (!more) return <li class="older">{t.beginning}</li>;
  const href = `/rooms/${reading.room}?before=${before.id}`;
  return (
    <li class="older">
      <a class="quiet button" href={href} hx-get={href} hx-target="closest li" hx-swap="outerHTML">
        {t.older}
      </a>{" "}
      <DayName at={before.createdAt} reading={reading} />
    </li>
  );
}

export function OlderMessages({ t, ...list }: MessagesProps & { t: Catalog["room"] }) {
  const first = list.messages[0];
  return (
    <>
      {first && <Older before={first} more={list.previousAt !== null} t={t} reading={list.reading} />}
      <Messages {...list} />
    </>
  );
}
