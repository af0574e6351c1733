/** All rooms but those of two people, from outside: what is written in a private one is not for staff either. */
import { fill, number } from "../../../src/shared/locale/format.ts";
import { MESSAGES_COUNTED, ROOM_NAME_MAX_LENGTH } from "../../../src/shared/limits.ts";
import { PUBLIC_ROOM } from "../../../src/shared/rooms.ts";
import { CsrfField } from "../../components/csrf.tsx";
import type { Shell } from "../../components/layout.tsx";
import { Frame, Paging, Plain, Search } from "./frame.tsx";
import { userPath } from "./users.tsx";

export interface ListedRoom {
  slug: string;
  name: string;
  owner: string | null;
  members: number;
  messages: number;
  isClosed: boolean;
}

export interface RoomsPageProps {
  shell: Shell;
  q: string;
  items: ListedRoom[];
  next: number | null;
  isFirst: boolean;
  /** The name that was refused, and why. */
  rename: { name: string; error: string } | null;
}

export function RoomsPage({ shell, q, items, next, isFirst, rename }: RoomsPageProps) {
  const { admin: t } = shell.t;
  return (
    <Frame shell={shell} section="rooms">
      <Search shell={shell} section="rooms" label={t.searchRooms} q={q} />
      {items.length === 0 && <p class="lead">{t.nothing}</p>}
      <ol class="records">
        {items.map((room) => (
          <Room key={room.slug} shell={shell} room={room} />
        ))}
      </ol>
      <Paging {...{ shell, next, isFirst }} section="rooms" query={{ q }} cursor="page" />
      <form class="card" method="post" action={`/admin/rooms/${PUBLIC_ROOM}/name`}>
        <CsrfField token={shell.user?.csrf ?? ""} />
        {rename && (
          <p class="problem" role="alert">
            {rename.error}
          </p>
        )}
        <label>
          {t.room.rename}
          <input name="name" value={rename?.name} maxLength={ROOM_NAME_MAX_LENGTH} dir="auto" required />
        </label>
        <button>{t.room.save}</button>
      </form>
    </Frame>
  );
}

function Room({ shell, room }: { shell: Shell; room: ListedRoom }) {
  const { room: t } = shell.t.admin;
  const { slug, name, owner, isClosed } = room;
  return (
    <li>
      <div class="subject">
        <b>
          <Plain>{name}</Plain>
        </b>{" "}
        {slug === PUBLIC_ROOM ? (
          <a href={`/rooms/${slug}`}>
            <Plain>/{slug}</Plain>
          </a>
        ) : (
          <Plain>/{slug}</Plain>
        )}{" "}
        {isClosed && <span class="badge">{t.closed}</span>}
        <p class="hint">
          {owner !== null && (
            <>
              <Owner words={t.owner} name={owner} /> ·{" "}
            </>
          )}
          {fill(t.counts, {
            members: number(shell.locale, room.members),
            messages: `${number(shell.locale, room.messages)}${room.messages >= MESSAGES_COUNTED ? "+" : ""}`,
          })}
        </p>
      </div>
      <form method="post" action={`/admin/rooms/${slug}/${isClosed ? "open" : "close"}`}>
        <CsrfField token={shell.user?.csrf ?? ""} />
        <input type="hidden" name="next" value={shell.path} />
        <button>{isClosed ? t.open : t.close}</button>
      </form>
    </li>
  );
}

/** The name is a link in the midst of words that differ by language. */
function Owner({ words, name }: { words: string; name: string }) {
  const [before, after] = words.split("{name}");
  return (
    <>
      {before}
      <a href={userPath(name)}>
        <Plain>{name}</Plain>
      </a>
      {after}
    </>
  );
}
