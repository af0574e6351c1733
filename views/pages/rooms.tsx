/** The rooms of whoever is signed in, and the form that makes another. */
import { ROOM_NAME_MAX_LENGTH } from "../../src/shared/limits.ts";
import { CsrfField } from "../components/csrf.tsx";
import { Field } from "../components/field.tsx";
import { Layout, type Shell } from "../components/layout.tsx";
import { RoomList, type ListedRoom } from "../components/room-list.tsx";

/** What was typed, and why it was refused. */
export interface NewRoomForm {
  name: string;
  slug: string;
  error: string | null;
}

export function RoomsPage(props: { shell: Shell; rooms: readonly ListedRoom[]; form: NewRoomForm }) {
  const { shell, rooms, form } = props;
  const { locale } = shell;
  const { rooms: t, room } = shell.t;
  const csrf = shell.user?.csrf ?? "";
  return (
    <Layout shell={shell} title={t.title} kind="page">
      <h1>{t.title}</h1>
      <RoomList rooms={rooms} locale={locale} t={t} publicName={room.names.public} />
      {rooms.length === 0 && <p class="lead">{t.none}</p>}
      {rooms.some(({ unread }) => unread > 0) && (
        <form method="post" action="/rooms/read">
          <CsrfField token={csrf} />
          <button class="quiet">{t.readAll}</button>
        </form>
      )}
      <form class="card" method="post" action="/rooms">
        <h2>{t.newRoom}</h2>
        <CsrfField token={csrf} />
        {form.error && (
          <p class="problem" role="alert">
            {form.error}
          </p>
        )}
        <Field
          label={t.name}
          name="name"
          value={form.name}
          maxLength={ROOM_NAME_MAX_LENGTH}
          dir="auto"
          required
        />
        <Field
          label={t.slug}
          hint={t.slugHint}
          name="slug"
          value={form.slug}
          maxLength={50}
          autocapitalize="none"
          spellcheck={false}
        />
        <button class="primary">{t.create}</button>
      </form>
    </Layout>
  );
}
