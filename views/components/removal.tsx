/** The question before a message is removed: a dialog around a form that works by itself. */
import type { Ref } from "preact";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { CsrfField } from "./csrf.tsx";

export interface RemovalProps {
  room: string;
  /** Of the message. */
  id: number;
  csrf: string;
  /** What it says. */
  text: string;
  /** Why it was not removed, in words. */
  error: string | null;
  /** It is on its way. */
  busy: boolean;
  t: Catalog["editor"];
  dialog: Ref<HTMLDialogElement>;
  onSubmit: (event: Event) => void;
  onCancel: () => void;
  onClose: () => void;
}

export function Removal({ room, id, csrf, text, error, busy, t, dialog, ...on }: RemovalProps) {
  return (
    <dialog class="removal" ref={dialog} aria-labelledby="removal" onClose={on.onClose}>
      <form class="card" method="post" action={`/rooms/${room}/messages/${id}/remove`} onSubmit={on.onSubmit}>
        <CsrfField token={csrf} />
        <h2 id="removal">{t.question}</h2>
        <p class="quoted" dir="auto">
          {text}
        </p>
        <p role="status">{busy ? t.busy : t.warning}</p>
        <p class="problem" role="alert">
          {error}
        </p>
        <div class="choices">
          <button type="button" class="quiet" autoFocus onClick={on.onCancel}>
            {t.cancel}
          </button>
          <button class="danger">{t.remove}</button>
        </div>
      </form>
    </dialog>
  );
}
