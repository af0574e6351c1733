/** A room: live at its newest messages, or somewhere in its history. */
import SlidersHorizontal from "lucide/dist/esm/icons/sliders-horizontal.mjs";
import { fill, number } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import {
  SEND_REFUSALS,
  type MessageView,
  type PresenceView,
  type SendRefusals,
} from "../../src/shared/protocol.ts";
import type { ReadMark } from "../../src/shared/rows.ts";
import { Composer, type ComposerProps } from "../components/composer.tsx";
import { CsrfField } from "../components/csrf.tsx";
import { Editor, type EditorProps } from "../components/editor.tsx";
import { OlderMessages } from "../components/history.tsx";
import { Icon } from "../components/icon.tsx";
import { Island } from "../components/island.tsx";
import { Layout, writerOf, type Shell } from "../components/layout.tsx";
import { withNext } from "../components/links.ts";
import type { Reading } from "../components/message.tsx";
import { Pane } from "../components/pane.tsx";
import { PresenceList } from "../components/presence.tsx";
import { RoomList, type ListedRoom } from "../components/room-list.tsx";

export interface RoomPageProps {
  shell: Shell;
  room: { slug: string; name: string; topic: string; kind: "public" | "private" | "direct" };
  /** The reader's own rooms; null for guests. */
  rooms: readonly ListedRoom[] | null;
  /** The numbers held by this page: where its socket goes on from. */
  held: { epoch: string; rev: number };
  messages: MessageView[];
  previousAt: number | null;
  /** How far the reader has read; null where that is not known, or nothing here is unread. */
  mark: ReadMark | null;
  /** Older messages than the newest, by paging or by a permalink to `target`. */
  history: { target?: Target } | null;
  /** The first thing that a guest sees at `/`. */
  welcome: boolean;
  /** Who is here now. Null for guests, whose page does not depend on it. */
  presence: PresenceView | null;
  /** Why a member may not write here, in words. */
  silence: string | null;
  /** Null for whoever may not write. */
  draft: Pick<ComposerProps, "messageKey" | "text" | "error" | "maxLength"> | null;
}

/** The message that a permalink leads to. */
export interface Target {
  id: number;
  mayRemove: boolean;
  /** Null for whoever may not change its text. */
  edit: Pick<EditorProps, "text" | "error" | "maxLength"> | null;
}

export function RoomPage(props: RoomPageProps) {
  const { shell, room, history, welcome } = props;
  const { t } = shell;
  return (
    <Layout shell={shell} title={room.name} kind="room" live>
      {welcome && (
        <section class="welcome">
          <h1>{t.welcome.title}</h1>
          <p>{t.welcome.text}</p>
        </section>
      )}
      <Sidebar {...props} />
      <div id="room">
        <Heading {...props} />
        <div class="scroller" tabIndex={0} role="region" aria-label={fill(t.room.log, { room: room.name })}>
          <div class="column">{history ? <History {...props} /> : <Live {...props} />}</div>
        </div>
        {history ? <ToLatest {...props} /> : <Write {...props} />}
      </div>
    </Layout>
  );
}

function Sidebar({ shell: { t, locale, user }, rooms, room }: RoomPageProps) {
  if (!rooms || !user) return null;
  const list = {
    rooms: rooms.map(({ slug, name, kind, avatar, unread }) => ({ slug, name, kind, avatar, unread })),
    current: room.slug,
    locale,
    t: { unread: t.rooms.unread, manyUnread: t.rooms.manyUnread },
    publicName: t.room.names.public,
  };
  return (
    <nav class="sidebar" aria-label={t.rooms.title}>
      <Island name="rooms" data={{ ...list, user: user.name }}>
        <RoomList {...list} />
      </Island>
    </nav>
  );
}

function Heading(props: RoomPageProps) {
  const { room, welcome, history } = props;
  const { t } = props.shell;
  const Name = welcome ? "h2" : "h1";
  return (
    <header class="room-head">
      <div class="title">
        <Name class="room-name" dir="auto">
          {room.name}
        </Name>
        {room.topic && (
          <p class="topic" dir="auto" title={room.topic}>
            {room.topic}
          </p>
        )}
      </div>
      {!history && <Here {...props} />}
      {room.kind === "private" && (
        <a
          class="quiet button"
          href={`/rooms/${room.slug}/settings`}
          aria-label={t.room.settings}
          title={t.room.settings}
        >
          <Icon node={SlidersHorizontal} />
        </a>
      )}
    </header>
  );
}

function Here({ shell: { locale, t }, presence }: RoomPageProps) {
  const list = { present: presence, locale, t: t.presence };
  return (
    <Island name="presence" data={list}>
      <PresenceList {...list} />
    </Island>
  );
}

/** `#history` belongs to the server and htmx, the island beside it to its script; neither reaches into the other. */
function Live({ shell, room, held, messages, previousAt, mark, draft }: RoomPageProps) {
  const { t, user } = shell;
  const stretch = { messages, previousAt, mark, reading: readingOf(shell, room.slug) };
  const { log, empty, older, beginning } = t.room;
  return (
    <>
      <ol id="history" class="messages" />
      <Island
        name="pane"
        data={{
          room: { slug: room.slug, name: room.name },
          held,
          ...stretch,
          t: {
            room: { log, empty, older, beginning },
            live: t.live,
            refusals: draft && refusalsFor(draft.maxLength, shell),
          },
          user: user && writerOf(user),
          avatar: user && user.avatar,
        }}
      >
        <Pane roomName={room.name} {...stretch} t={t.room} />
      </Island>
    </>
  );
}

/** What a message may be refused with, in words. */
function refusalsFor(maxLength: number, { locale, t: { refusals } }: Shell): SendRefusals {
  const texts = SEND_REFUSALS.map((code) => [code, refusals[code]] as const);
  const tooLong = fill(refusals.too_long, { n: number(locale, maxLength) });
  return { ...(Object.fromEntries(texts) as SendRefusals), too_long: tooLong };
}

function History({ shell, room, messages, previousAt, mark, history }: RoomPageProps) {
  const reading = readingOf(shell, room.slug);
  const target = history?.target?.id;
  return (
    <ol id="history" class="messages">
      <OlderMessages {...{ messages, previousAt, mark, reading, target, t: shell.t.room }} />
    </ol>
  );
}

function Write({ shell, room, silence, draft }: RoomPageProps) {
  const { t, user, path, locale } = shell;
  if (silence) return <p class="invitation">{silence}</p>;
  if (!user || !draft) {
    return (
      <p class="invitation">
        {t.room.guestNotice} <a href={withNext("/register", path)}>{t.room.guestJoin}</a>{" "}
        <a href={withNext("/login", path)}>{t.room.guestLogin}</a>
      </p>
    );
  }
  const composer = { ...draft, room: room.slug, csrf: user.csrf, locale, t: t.composer };
  const editor = { t: editorTexts(t), refusals: refusalsFor(draft.maxLength, shell) };
  return (
    <Island name="composer" data={{ ...composer, user: writerOf(user), editor }}>
      <Composer {...composer} />
    </Island>
  );
}

function ToLatest(props: RoomPageProps) {
  const { t } = props.shell;
  return (
    <div class="invitation">
      <p>
        {t.room.historyNotice} <a href={`/rooms/${props.room.slug}`}>{t.room.latest}</a>
      </p>
      <Change {...props} />
    </div>
  );
}

/** What the reader may do with the message that a permalink leads to. */
function Change({ shell: { t, user, locale }, room, history }: RoomPageProps) {
  const target = history?.target;
  if (!user || !target) return null;
  const { id, edit, mayRemove } = target;
  const form = { room: room.slug, id, csrf: user.csrf, locale, t: editorTexts(t) };
  return (
    <>
      {edit && <Editor {...edit} {...form} />}
      {mayRemove && (
        <form method="post" action={`/rooms/${room.slug}/messages/${id}/remove`}>
          <CsrfField token={user.csrf} />
          <button class="danger">{t.room.removeMessage}</button>
        </form>
      )}
    </>
  );
}

function editorTexts({ editor, composer }: Catalog): EditorProps["t"] {
  return { ...editor, tooLong: composer.tooLong };
}

export function readingOf({ locale, zone, t, user }: Shell, room: string): Reading {
  return { room, me: user && user.name, locale, zone, t: t.message };
}
