/** What everybody may see of somebody. */
import { fill } from "../../src/shared/locale/format.ts";
import { clock, day } from "../../src/shared/time.ts";
import { Avatar } from "../components/avatar.tsx";
import { CsrfField } from "../components/csrf.tsx";
import { Layout, type Shell } from "../components/layout.tsx";
import { userPath } from "../components/links.ts";
import { Prose } from "../components/prose.tsx";

export interface UserPageProps {
  shell: Shell;
  person: {
    name: string;
    avatar: string | null;
    bio: string;
    createdAt: number;
    lastSeenAt: number | null;
    isStaff: boolean;
  };
}

export function UserPage({ shell, person }: UserPageProps) {
  const { t, locale, zone } = shell;
  const { name, avatar, bio, createdAt, lastSeenAt, isStaff } = person;
  return (
    <Layout shell={shell} title={name} kind="page">
      <div class="person">
        <Avatar name={name} avatar={avatar} large />
        <div>
          <h1 dir="auto">{name}</h1>
          {isStaff && <p class="badge">{t.user.staff}</p>}
          <p class="hint">{fill(t.user.registered, { day: day(createdAt, locale, zone) })}</p>
          {lastSeenAt !== null && (
            <p class="hint">
              {fill(t.user.seen, {
                time: `${day(lastSeenAt, locale, zone)}, ${clock(lastSeenAt, locale, zone)}`,
              })}
            </p>
          )}
        </div>
      </div>
      {bio !== "" && (
        <p class="bio" dir="auto">
          <Prose text={bio} />
        </p>
      )}
      <WhatToDo shell={shell} name={name} />
    </Layout>
  );
}

function WhatToDo({ shell: { t, user }, name }: { shell: Shell; name: string }) {
  if (!user) return null;
  if (user.name === name) {
    return (
      <p>
        <a class="button" href="/profile">
          {t.user.edit}
        </a>
      </p>
    );
  }
  return (
    <form method="post" action={`${userPath(name)}/direct`}>
      <CsrfField token={user.csrf} />
      <button class="primary">{t.user.write}</button>
    </form>
  );
}
