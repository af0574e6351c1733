/** Paging back: the row at the top of a list, and the fragment that replaces it. */
import type { Catalog } from "../../src/shared/locale/locale.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { Messages, type MessagesProps } from "./messages.tsx";

/** A link to the page before, which htmx puts in the place of this row; or the beginning of the room. */
export function Older(props: { before: MessageView; more: boolean; t: Catalog["room"]; room: string }) {
  const { before, more, t, room } = props;
  if (!more) return <li class="older">{t.beginning}</li>;
  const href = `/rooms/${room}?before=${before.id}`;
  return (
    <li class="older">
      <a class="quiet button" href={href} hx-get={href} hx-target="closest li" hx-swap="outerHTML">
        {t.older}
      </a>
    </li>
  );
}

export function OlderMessages({ t, ...list }: MessagesProps & { t: Catalog["room"] }) {
  const first = list.messages[0];
  return (
    <>
      {first && <Older before={first} more={list.previousAt !== null} t={t} room={list.reading.room} />}
      <Messages {...list} />
    </>
  );
}
