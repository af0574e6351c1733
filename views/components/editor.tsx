/** Where one's own message is changed: a form that works by itself, and in the composer's place with its island. */
import Check from "lucide/dist/esm/icons/check.mjs";
import type { Ref } from "preact";
import { codePoints } from "../../src/shared/text.ts";
import { fill, number } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { CsrfField } from "./csrf.tsx";
import { Icon } from "./icon.tsx";

export interface EditorProps {
  room: string;
  /** Of the message. */
  id: number;
  csrf: string;
  text: string;
  /** Why the last attempt was refused, in words. */
  error: string | null;
  maxLength: number;
  locale: string;
  t: Catalog["editor"] & Pick<Catalog["composer"], "tooLong">;
  /** What the island adds. */
  live?: {
    field: Ref<HTMLTextAreaElement>;
    /** The change is on its way. */
    busy: boolean;
    onInput: (event: Event) => void;
    onKeyDown: (event: KeyboardEvent) => void;
    onSubmit: (event: Event) => void;
    onRemove: () => void;
    onCancel: () => void;
  };
}

export function Editor({ room, id, csrf, text, error, maxLength, locale, t, live }: EditorProps) {
  const excess = codePoints(text) - maxLength;
  return (
    <form
      class="composer editor"
      method="post"
      action={`/rooms/${room}/messages/${id}/edit`}
      onSubmit={live?.onSubmit}
    >
      <CsrfField token={csrf} />
      <p class="hint" role="status">
        {live?.busy ? t.busy : t.title}
      </p>
      <p class="problem" role="alert">
        {excess > 0 ? fill(t.tooLong, { n: number(locale, excess) }) : error}
      </p>
      <div class="writing">
        <textarea
          name="text"
          rows={1}
          dir="auto"
          aria-label={t.label}
          autocomplete="off"
          required
          readOnly={live?.busy}
          value={text}
          ref={live?.field ?? null}
          onInput={live?.onInput}
          onKeyDown={live?.onKeyDown}
        />
        <button class="primary" aria-label={t.save} title={t.save}>
          <Icon node={Check} />
        </button>
      </div>
      {live && (
        <div class="choices">
          <p class="hint keys">{t.hint}</p>
          <button type="button" class="danger" onClick={live.onRemove}>
            {t.remove}
          </button>
          <button type="button" class="quiet" onClick={live.onCancel}>
            {t.cancel}
          </button>
        </div>
      )}
    </form>
  );
}
