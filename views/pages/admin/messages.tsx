/** Removing one message, by its number or a link to it. Two steps, because nothing brings it back. */
import { fill } from "../../../src/shared/locale/format.ts";
import { PUBLIC_ROOM } from "../../../src/shared/rooms.ts";
import { CsrfField } from "../../components/csrf.tsx";
import type { Shell } from "../../components/layout.tsx";
import { Frame, Plain } from "./frame.tsx";

export interface MessagesPageProps {
  shell: Shell;
  /** As it was looked for. */
  typed: string;
  /** The message it leads to, and the slug of its room. */
  found: { id: number; room: string } | null;
  error: string | null;
  /** The message that has just been removed. */
  removed: number | null;
}

export function MessagesPage({ shell, typed, found, error, removed }: MessagesPageProps) {
  const { message: t } = shell.t.admin;
  return (
    <Frame shell={shell} section="messages">
      {removed !== null && (
        <p class="done" role="status">
          {fill(t.removed, { id: removed })}
        </p>
      )}
      <form class="search" method="get" action="/admin/messages" role="search">
        <label>
          {t.which}
          <input name="message" value={typed} spellcheck={false} autocapitalize="none" required />
        </label>
        <button>{t.look}</button>
        {error && (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
      </form>
      {found && <Found shell={shell} {...found} />}
    </Frame>
  );
}

function Found({ shell, id, room }: { shell: Shell; id: number; room: string }) {
  const { message: t } = shell.t.admin;
  const [before, after] = t.place.split("{room}");
  return (
    <form class="card" method="post" action={`/admin/messages/${id}/remove`}>
      <CsrfField token={shell.user?.csrf ?? ""} />
      <h2>{fill(t.found, { id })}</h2>
      <p>
        {before}
        <Plain>/{room}</Plain>
        {after} {room === PUBLIC_ROOM && <a href={`/rooms/${room}/messages/${id}`}>{t.show}</a>}
      </p>
      <p class="hint">{t.warning}</p>
      <button class="danger">{t.remove}</button>
    </form>
  );
}
