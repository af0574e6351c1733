/** Where a message is written: a form that works by itself, and better with its island. */
import Send from "lucide/dist/esm/icons/send.mjs";
import type { Ref } from "preact";
import { codePoints } from "../../src/shared/text.ts";
import { fill, number } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { CsrfField } from "./csrf.tsx";
import { Icon } from "./icon.tsx";

export interface ComposerProps {
  room: string;
  csrf: string;
  /** The sender's key of the message to come; a form sent twice stores one message. */
  messageKey: string;
  text: string;
  /** Why the last attempt was refused, in words. */
  error: string | null;
  maxLength: number;
  locale: string;
  t: Catalog["composer"];
  field?: Ref<HTMLTextAreaElement>;
  onInput?: (event: Event) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
  onSubmit?: (event: Event) => void;
}

export function Composer(props: ComposerProps) {
  const { room, csrf, messageKey, text, error, maxLength, locale, t } = props;
  const excess = codePoints(text) - maxLength;
  return (
    <form
      class="composer"
      method="post"
      action={`/rooms/${room}/messages`}
      hx-post={`/rooms/${room}/messages`}
      hx-target="#room"
      hx-select="#room"
      hx-swap="outerHTML"
      onSubmit={props.onSubmit}
    >
      <CsrfField token={csrf} />
      <input type="hidden" name="key" value={messageKey} />
      <p class="problem" role="alert">
        {excess > 0 ? fill(t.tooLong, { n: number(locale, excess) }) : error}
      </p>
      <div class="writing">
        <textarea
          name="text"
          rows={1}
          dir="auto"
          aria-label={t.label}
          aria-describedby="composer-hint"
          placeholder={t.placeholder}
          autocomplete="off"
          required
          value={text}
          ref={props.field ?? null}
          onInput={props.onInput}
          onKeyDown={props.onKeyDown}
        />
        <button class="primary" aria-label={t.send} title={t.send}>
          <Icon node={Send} />
        </button>
      </div>
      <p class="hint" id="composer-hint">
        {t.hint}
      </p>
    </form>
  );
}
