/** One person: how they stand, and what staff may do about it. */
import { number } from "../../../src/shared/locale/format.ts";
import { CsrfField } from "../../components/csrf.tsx";
import type { Shell } from "../../components/layout.tsx";
import { Frame, Moment, Plain } from "./frame.tsx";
import { userPath, type ListedUser } from "./users.tsx";

export type UserAct = keyof Shell["t"]["admin"]["acts"];

export interface UserPageProps {
  shell: Shell;
  user: ListedUser & { email: string; lastSeenAt: number | null };
  /** How many are open. */
  sessions: number;
  /** What this reader may do: nothing to themselves, nothing to staff, acts, or acts and ranks. */
  may: "nothing" | "not-staff" | "act" | "promote";
}

export function UserPage({ shell, user, sessions, may }: UserPageProps) {
  const { admin: t } = shell.t;
  const { isStaff, isSuperuser, isMuted, isActive } = user;
  const act = { shell, user };
  return (
    <Frame shell={shell} section="users" title={user.name}>
      <dl class="facts">
        <dt>{t.rank}</dt>
        <dd>{t.ranks[isSuperuser ? "superuser" : isStaff ? "staff" : "user"]}</dd>
        <dt>{t.standing}</dt>
        <dd>{standingOf(user, t).join(", ")}</dd>
        <dt>{t.email}</dt>
        <dd>{user.email ? <Plain>{user.email}</Plain> : t.none}</dd>
        <dt>{t.registered}</dt>
        <dd>
          <Moment at={user.createdAt} shell={shell} />
        </dd>
        <dt>{t.lastSeen}</dt>
        <dd>{user.lastSeenAt === null ? t.none : <Moment at={user.lastSeenAt} shell={shell} />}</dd>
        <dt>{t.sessions}</dt>
        <dd>{number(shell.locale, sessions)}</dd>
      </dl>
      {may === "nothing" && <p class="lead">{t.yourself}</p>}
      {may === "not-staff" && <p class="lead">{t.above}</p>}
      {(may === "act" || may === "promote") && (
        <ul class="records">
          <Act {...act} act={isMuted ? "unmute" : "mute"} hint={t.hints.mute} />
          <Act {...act} act={isActive ? "disable" : "enable"} hint={t.hints.disable} />
          <Act {...act} act="end-sessions" hint={t.hints.sessions} />
        </ul>
      )}
      {may === "promote" && (
        <ul class="records">
          {!isSuperuser && <Act {...act} act={isStaff ? "take-staff" : "grant-staff"} hint={t.hints.staff} />}
          <Act {...act} act={isSuperuser ? "take-superuser" : "grant-superuser"} hint={t.hints.superuser} />
        </ul>
      )}
    </Frame>
  );
}

function standingOf({ isMuted, isActive }: ListedUser, t: Shell["t"]["admin"]): string[] {
  if (isActive && !isMuted) return [t.active];
  return [...(isActive ? [] : [t.disabled]), ...(isMuted ? [t.muted] : [])];
}

function Act({ shell, user, act, hint }: { shell: Shell; user: ListedUser; act: UserAct; hint: string }) {
  return (
    <li>
      <p class="subject">{hint}</p>
      <form method="post" action={`${userPath(user.name)}/${act}`}>
        <CsrfField token={shell.user?.csrf ?? ""} />
        <button>{shell.t.admin.acts[act]}</button>
      </form>
    </li>
  );
}
