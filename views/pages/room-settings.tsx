/** What the members of a private room see and do with it, each by their role. */
import type { ComponentChildren } from "preact";
import { ROOM_NAME_MAX_LENGTH, ROOM_TOPIC_MAX_LENGTH } from "../../src/shared/limits.ts";
import { fill } from "../../src/shared/locale/format.ts";
import { Avatar } from "../components/avatar.tsx";
import { CsrfField } from "../components/csrf.tsx";
import { Field } from "../components/field.tsx";
import { Invitations, type ListedInvitation } from "../components/invitations.tsx";
import { userPath } from "../components/links.ts";
import { Layout, type Shell } from "../components/layout.tsx";

export interface RoomSettingsProps {
  shell: Shell;
  room: { slug: string; name: string; topic: string };
  /** The reader's. */
  role: "owner" | "moderator" | "member";
  origin: string;
  members: readonly ListedMember[];
  /** Null for those who do not invite. */
  invitations: readonly ListedInvitation[] | null;
  /** Why the last form was refused, in words. */
  error: string | null;
}

export interface ListedMember {
  name: string;
  avatar: string | null;
  role: "owner" | "moderator" | "member" | "removed";
  invitation: number | null;
}

export function RoomSettingsPage(props: RoomSettingsProps) {
  const { shell, room, role, error, invitations } = props;
  const { roomSettings: t } = shell.t;
  return (
    <Layout shell={shell} title={fill(t.title, { room: room.name })} kind="page">
      <p>
        <a href={`/rooms/${room.slug}`}>{t.back}</a>
      </p>
      <h1 dir="auto">{room.name}</h1>
      {error && (
        <p class="problem" role="alert">
          {error}
        </p>
      )}
      {role === "owner" && <Description {...props} />}
      <MemberList {...props} />
      {invitations && <Invitations {...props} invitations={invitations} t={t} />}
      {role === "owner" ? <Delete {...props} /> : <Leave {...props} />}
    </Layout>
  );
}

function Description({ shell, room }: RoomSettingsProps) {
  const { roomSettings: t } = shell.t;
  return (
    <Form shell={shell} action={`/rooms/${room.slug}/settings`} card>
      <h2>{t.description}</h2>
      <Field
        label={t.name}
        name="name"
        value={room.name}
        maxLength={ROOM_NAME_MAX_LENGTH}
        dir="auto"
        required
      />
      <Field label={t.topic} name="topic" value={room.topic} maxLength={ROOM_TOPIC_MAX_LENGTH} dir="auto" />
      <button class="primary">{t.save}</button>
    </Form>
  );
}

function MemberList(props: RoomSettingsProps) {
  const { roomSettings: t } = props.shell.t;
  return (
    <section class="card" aria-labelledby="members">
      <h2 id="members">{t.members}</h2>
      <ul class="records member-list">
        {props.members.map((member) => (
          <li key={member.name}>
            <Avatar name={member.name} avatar={member.avatar} />
            <a href={userPath(member.name)} dir="auto">
              {member.name}
            </a>
            {member.role !== "member" && <span class="role">{t.roles[member.role]}</span>}
            <span class="acts">
              {actsFor(props.role, member.role).map((act) => (
                <Form
                  key={act}
                  shell={props.shell}
                  action={`/rooms/${props.room.slug}/members/${encodeURIComponent(member.name)}/${act}`}
                >
                  <button class="quiet" aria-label={`${t.acts[act]}: ${member.name}`}>
                    {t.acts[act]}
                  </button>
                </Form>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

type MemberAct = "promote" | "demote" | "hand-over" | "remove" | "readmit";

/** What somebody with one role may do with somebody of another. */
function actsFor(mine: RoomSettingsProps["role"], theirs: ListedMember["role"]): readonly MemberAct[] {
  if (mine === "member" || theirs === "owner") return [];
  if (theirs === "removed") return ["readmit"];
  if (mine === "moderator") return theirs === "member" ? ["remove"] : [];
  return theirs === "member" ? ["promote", "hand-over", "remove"] : ["demote", "hand-over", "remove"];
}

function Leave({ shell, room }: RoomSettingsProps) {
  const { roomSettings: t } = shell.t;
  return (
    <Form shell={shell} action={`/rooms/${room.slug}/leave`} card>
      <h2>{t.leave}</h2>
      <p class="hint">{t.leaveHint}</p>
      <button class="danger">{t.leave}</button>
    </Form>
  );
}

function Delete({ shell, room }: RoomSettingsProps) {
  const { roomSettings: t } = shell.t;
  return (
    <Form shell={shell} action={`/rooms/${room.slug}/delete`} card>
      <h2>{t.delete}</h2>
      <p class="hint">{t.deleteHint}</p>
      <Field
        label={fill(t.confirmation, { name: room.name })}
        name="confirmation"
        autocomplete="off"
        dir="auto"
        required
      />
      <button class="danger">{t.delete}</button>
    </Form>
  );
}

function Form(props: { shell: Shell; action: string; card?: boolean; children: ComponentChildren }) {
  return (
    <form class={props.card ? "card" : undefined} method="post" action={props.action}>
      <CsrfField token={props.shell.user?.csrf ?? ""} />
      {props.children}
    </form>
  );
}
