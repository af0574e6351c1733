/** A room: live at its newest messages, or somewhere in its history. */
import { fill, number } from "../../src/shared/locale/format.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { Composer, type ComposerProps } from "../components/composer.tsx";
import { Older, OlderMessages } from "../components/history.tsx";
import { Island } from "../components/island.tsx";
import { Layout, type Shell } from "../components/layout.tsx";
import { withNext } from "../components/links.ts";
import type { Reading } from "../components/message.tsx";
import { Pane } from "../components/pane.tsx";

export interface RoomPageProps {
  shell: Shell;
  room: { slug: string; name: string };
  /** The numbers held by this page: where its socket goes on from. */
  held: { epoch: string; rev: number };
  messages: MessageView[];
  previousAt: number | null;
  /** Older messages than the newest, by paging or by a permalink to `target`. */
  history: { target?: number } | null;
  /** The first thing that a guest sees at `/`. */
  welcome: boolean;
  /** Null for guests. */
  draft: Pick<ComposerProps, "messageKey" | "text" | "error" | "maxLength"> | null;
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
      <div id="room">
        {welcome ? <h2 class="room-name">{room.name}</h2> : <h1 class="room-name">{room.name}</h1>}
        <div class="scroller" tabIndex={0} role="region" aria-label={fill(t.room.log, { room: room.name })}>
          <div class="column">{history ? <History {...props} /> : <Live {...props} />}</div>
        </div>
        {history ? <ToLatest {...props} /> : <Write {...props} />}
      </div>
    </Layout>
  );
}

/** `#history` belongs to the server and htmx, the island beside it to its script; neither reaches into the other. */
function Live({ shell, room, held, messages, previousAt, draft }: RoomPageProps) {
  const { t, user } = shell;
  const reading = readingOf(shell, room.slug);
  const first = messages[0];
  return (
    <>
      <ol id="history" class="messages">
        {first && <Older before={first} more={previousAt !== null} t={t.room} room={room.slug} />}
      </ol>
      <Island
        name="pane"
        data={{
          room,
          held,
          messages,
          previousAt,
          reading,
          t: {
            room: { log: t.room.log, empty: t.room.empty },
            live: t.live,
            refusals: draft && refusalsFor(draft.maxLength, shell),
          },
          user: user && user.name,
        }}
      >
        <Pane roomName={room.name} messages={messages} previousAt={previousAt} reading={reading} t={t.room} />
      </Island>
    </>
  );
}

function refusalsFor(maxLength: number, { locale, t: { refusals } }: Shell): Shell["t"]["refusals"] {
  return { ...refusals, too_long: fill(refusals.too_long, { n: number(locale, maxLength) }) };
}

function History({ shell, room, messages, previousAt, history }: RoomPageProps) {
  const reading = readingOf(shell, room.slug);
  const target = history?.target;
  return (
    <ol id="history" class="messages">
      <OlderMessages {...{ messages, previousAt, reading, target, t: shell.t.room }} />
    </ol>
  );
}

function Write({ shell: { t, user, path, locale }, room, draft }: RoomPageProps) {
  if (!user || !draft) {
    return (
      <p class="invitation">
        {t.room.guestNotice} <a href={withNext("/register", path)}>{t.room.guestJoin}</a>{" "}
        <a href={withNext("/login", path)}>{t.room.guestLogin}</a>
      </p>
    );
  }
  const composer = { ...draft, room: room.slug, csrf: user.csrf, locale, t: t.composer };
  return (
    <Island name="composer" data={composer}>
      <Composer {...composer} />
    </Island>
  );
}

function ToLatest({ shell: { t }, room }: RoomPageProps) {
  return (
    <p class="invitation">
      {t.room.historyNotice} <a href={`/rooms/${room.slug}`}>{t.room.latest}</a>
    </p>
  );
}

function readingOf({ locale, zone, t }: Shell, room: string): Reading {
  return { room, locale, zone, t: t.message };
}
