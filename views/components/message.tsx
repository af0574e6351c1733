/** One message: the same on a page, in a fragment of history and in the live pane. */
import Pencil from "lucide/dist/esm/icons/pencil.mjs";
import Trash from "lucide/dist/esm/icons/trash.mjs";
import { fill } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { isEmojiOnly } from "../../src/shared/text.ts";
import { clock, day, dayOf, exactTime } from "../../src/shared/time.ts";
import { Avatar } from "./avatar.tsx";
import { classes } from "./classes.ts";
import { Icon } from "./icon.tsx";
import { userPath } from "./links.ts";
import { Prose } from "./prose.tsx";

/** A message, and how far it has come if it is the reader's own and not yet in its place. */
export type ShownMessage = MessageView & { delivery?: Delivery };

export type Delivery =
  { state: "sending" } | { state: "refused"; reason: string; retry(): void; discard(): void };

/** What every message on a page is drawn with. */
export interface Reading {
  /** The room's slug. */
  room: string;
  /** The reader's name; null for guests. */
  me: string | null;
  locale: string;
  zone: string;
  t: Catalog["message"];
}

export interface MessageProps {
  message: ShownMessage;
  reading: Reading;
  /** Under the name of the message before it. */
  grouped: boolean;
  /** The message that a permalink leads to. */
  target?: boolean;
}

export function Message({ message, reading, grouped, target = false }: MessageProps) {
  const { author, avatar, text, delivery } = message;
  if (message.deletedAt) return <Removed id={message.id} t={reading.t} />;
  return (
    <li
      class={classes("message", grouped && "grouped", target && "target", delivery?.state)}
      id={delivery ? undefined : `m${message.id}`}
      {...(target && FOCUSED)}
    >
      {!grouped && (
        <a class="face" href={userPath(author)} tabIndex={-1} aria-hidden="true">
          <Avatar name={author} avatar={avatar} />
        </a>
      )}
      <div class="byline">
        <Author name={author} linked={!grouped} />{" "}
        {delivery ? <Standing delivery={delivery} t={reading.t} /> : <When {...{ message, reading }} />}{" "}
        {message.editedAt && <Edited {...{ message, reading }} at={message.editedAt} />}
      </div>
      <div class={isEmojiOnly(text) ? "text emoji" : "text"} dir="auto">
        <Prose text={text} />
      </div>
      {!delivery && author === reading.me && <Actions id={message.id} reading={reading} />}
    </li>
  );
}

/** The place stays, so that whoever remembers the message does not look for it; nothing says whose it was. */
function Removed({ id, t }: { id: number; t: Catalog["message"] }) {
  return (
    <li class="message removed" id={`m${id}`}>
      <p>{t.removed}</p>
    </li>
  );
}

/** The name leads to the person; under the name of the message before it is only heard. */
function Author({ name, linked }: { name: string; linked: boolean }) {
  const shown = <b dir="auto">{name}</b>;
  return linked ? (
    <a class="author" href={userPath(name)}>
      {shown}
    </a>
  ) : (
    shown
  );
}

/** `autofocus` brings the message into the middle of the window without any script. */
const FOCUSED = { tabIndex: -1, autoFocus: true };

function When({
  message: { id, createdAt },
  reading: { room, locale, zone, t },
}: Pick<MessageProps, "message" | "reading">) {
  const title = fill(t.permalink, { time: exactTime(createdAt, locale, zone) });
  return (
    <a href={`/rooms/${room}/messages/${id}`} title={title}>
      <time dateTime={new Date(createdAt).toISOString()}>{clock(createdAt, locale, zone)}</time>
    </a>
  );
}

/** With a script the composer takes these over; without, the message's own page has the forms. */
function Actions({ id, reading: { room, t } }: { id: number; reading: Reading }) {
  const href = `/rooms/${room}/messages/${id}`;
  return (
    <div class="actions">
      <a class="quiet button" href={href} aria-label={t.edit} title={t.edit} data-act="edit">
        <Icon node={Pencil} />
      </a>
      <a class="quiet button" href={href} aria-label={t.remove} title={t.remove} data-act="remove">
        <Icon node={Trash} />
      </a>
    </div>
  );
}

/** On another day than the message was written, the time alone would mislead. */
function Edited({
  message: { createdAt },
  reading: { locale, zone, t },
  at,
}: Pick<MessageProps, "message" | "reading"> & { at: number }) {
  const shown = dayOf(at, zone) === dayOf(createdAt, zone) ? clock : day;
  return (
    <span class="edited">
      {t.edited}{" "}
      <time dateTime={new Date(at).toISOString()} title={exactTime(at, locale, zone)}>
        {shown(at, locale, zone)}
      </time>
    </span>
  );
}

function Standing({ delivery, t }: { delivery: Delivery; t: Catalog["message"] }) {
  if (delivery.state === "sending") return <span class="standing">{t.sending}</span>;
  return (
    <span class="standing">
      {t.refused}: {delivery.reason}{" "}
      <button type="button" onClick={delivery.retry}>
        {t.retry}
      </button>{" "}
      <button type="button" onClick={delivery.discard}>
        {t.discard}
      </button>
    </span>
  );
}
