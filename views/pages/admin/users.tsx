/** Everybody with an account, the newest first. */
import { day, exactTime } from "../../../src/shared/time.ts";
import { Avatar } from "../../components/avatar.tsx";
import type { Shell } from "../../components/layout.tsx";
import { Frame, Paging, Plain, Search } from "./frame.tsx";

export interface ListedUser {
  name: string;
  avatar: string | null;
  isActive: boolean;
  isMuted: boolean;
  isStaff: boolean;
  isSuperuser: boolean;
  createdAt: number;
}

export interface UsersPageProps {
  shell: Shell;
  q: string;
  items: ListedUser[];
  next: number | null;
  isFirst: boolean;
}

export function UsersPage({ shell, q, items, next, isFirst }: UsersPageProps) {
  const { admin: t } = shell.t;
  return (
    <Frame shell={shell} section="users">
      <Search shell={shell} section="users" label={t.searchUsers} q={q} />
      {items.length === 0 && <p class="lead">{t.nothing}</p>}
      <ol class="records">
        {items.map((user) => (
          <li key={user.name}>
            <Avatar name={user.name} avatar={user.avatar} />
            <a href={userPath(user.name)}>
              <Plain>{user.name}</Plain>
            </a>
            <Badges shell={shell} user={user} />
            <Since at={user.createdAt} shell={shell} />
          </li>
        ))}
      </ol>
      <Paging {...{ shell, next, isFirst }} section="users" query={{ q }} cursor="page" />
    </Frame>
  );
}

export function userPath(name: string): string {
  return `/admin/users/${encodeURIComponent(name)}`;
}

/** The day is enough for a glance. */
function Since({ at, shell: { locale, zone } }: { at: number; shell: Shell }) {
  return (
    <time class="hint end" dateTime={new Date(at).toISOString()} title={exactTime(at, locale, zone)}>
      {day(at, locale, zone)}
    </time>
  );
}

/** Only what is out of the ordinary. */
function Badges({ shell: { t }, user }: { shell: Shell; user: ListedUser }) {
  const { ranks, muted, disabled } = t.admin;
  const words = [
    user.isSuperuser ? ranks.superuser : user.isStaff && ranks.staff,
    user.isMuted && muted,
    !user.isActive && disabled,
  ].filter((word) => word !== false);
  return (
    <>
      {words.map((word) => (
        <span class="badge" key={word}>
          {word}
        </span>
      ))}
    </>
  );
}
