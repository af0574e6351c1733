/** Changing and removing one's own messages from the composer, over the socket while there is one. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { fill } from "../src/shared/locale/format.ts";
import type { Refusal, SendRefusals } from "../src/shared/protocol.ts";
import { Editor, type EditorProps } from "../views/components/editor.tsx";
import { Removal } from "../views/components/removal.tsx";
import { openChanges, type Change } from "./changes.ts";
import { readEdit, writeEdit } from "./drafts.ts";
import { sends } from "./enter.ts";
import { roomBySlug } from "./room.ts";
import type { Writer } from "./writer.ts";

export interface EditorData {
  t: EditorProps["t"];
  refusals: SendRefusals;
}

/** What somebody is about to do with a message of theirs. */
export interface Task {
  act: "edit" | "remove";
  id: number;
  text: string;
  /** How far an earlier attempt had come: the focus stays where it is. */
  draft?: string;
}

interface EditingProps {
  task: Task;
  form: Pick<EditorProps, "room" | "csrf" | "maxLength" | "locale">;
  user: Writer;
  editor: EditorData;
  /** The writer goes on in the composer, or where they were. */
  onEnd: (where: "composer" | "there") => void;
}

/** Whoever follows the links of a message of theirs does it here; in a new tab they lead to the message's own page. */
export function useOwnMessages(begin: (task: Task) => void): void {
  useLayoutEffect(() => {
    const follow = (event: MouseEvent) => {
      const link = (event.target as Element).closest<HTMLElement>("[data-act]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      begin(taskOf(link));
    };
    document.addEventListener("click", follow);
    return () => document.removeEventListener("click", follow);
  }, [begin]);
}

/** To change the reader's last message on the page. */
export function ownLatest(): Task | null {
  const link = [...document.querySelectorAll<HTMLElement>("[data-act=edit]")].at(-1);
  return link ? taskOf(link) : null;
}

/** What was begun before the page was left, or another task came between. */
export function keptTask(room: string, user: number): Task | null {
  const kept = readEdit({ room, user });
  return kept && { act: "edit", ...kept };
}

function taskOf(link: HTMLElement): Task {
  const row = link.closest(".message");
  return {
    act: link.dataset["act"] as Task["act"],
    id: Number(row?.id.slice(1)),
    text: row?.querySelector(".text")?.textContent ?? "",
  };
}

export function Editing({ task, form, user, editor, onEnd }: EditingProps) {
  const { act, id } = task;
  const place = { room: form.room, user: user.id };
  const [text, setText] = useState(task.draft ?? task.text);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(act === "remove");
  const field = useRef<HTMLTextAreaElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const [changes] = useState(() => openChanges(form.room, user));
  useEffect(() => () => changes.close(), [changes]);
  // Before anybody can type.
  useLayoutEffect(() => {
    if (task.draft === undefined) field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, []);
  useLayoutEffect(() => {
    if (asking && !dialog.current?.open) dialog.current?.showModal();
  }, [asking, task]);

  function write(): void {
    const draft = field.current?.value ?? "";
    setText(draft);
    writeEdit(place, draft === task.text ? null : { id, text: task.text, draft });
  }

  /** Nothing of it is wanted any more. */
  function end(): void {
    if (readEdit(place)?.id === id) writeEdit(place, null);
    onEnd("composer");
  }

  /** What was refused stays as it is, with the reason. */
  async function submit(event: Event, change: Change): Promise<void> {
    // The socket has never worked: the form goes its own way, with what it carries.
    if (roomBySlug(form.room)?.standing.value === "connecting") return writeEdit(place, null);
    event.preventDefault();
    setBusy(true);
    setError(null);
    const refusal = await changes.submit(change);
    setBusy(false);
    // Gone already is as good as removed.
    if (!refusal || (change.type === "remove" && refusal.code === "not_found")) return end();
    setError(wordsFor(refusal, editor.refusals));
  }

  /** The browser gives the focus back to where it was when the dialog opened. */
  function closed(): void {
    // It tells late, and has been asked for again.
    if (dialog.current?.open) return;
    changes.forget();
    setBusy(false);
    setError(null);
    setAsking(false);
    if (act === "remove") onEnd("there");
  }

  const props = { ...form, id, t: editor.t, busy };
  const live = {
    field,
    busy,
    onInput: write,
    onKeyDown(event: KeyboardEvent) {
      if (event.key === "Escape" && !event.isComposing) return end();
      if (!sends(event)) return;
      event.preventDefault();
      field.current?.form?.requestSubmit();
    },
    onSubmit: (event: Event) => void submit(event, { type: "edit", id, text }),
    onRemove() {
      setError(null);
      setAsking(true);
    },
    onCancel: end,
  };
  return (
    <>
      {act === "edit" && <Editor {...props} text={text} error={asking ? null : error} live={live} />}
      {asking && (
        <Removal
          {...props}
          text={task.text}
          error={error}
          dialog={dialog}
          onSubmit={(event) => void submit(event, { type: "remove", id })}
          onCancel={() => dialog.current?.close()}
          onClose={closed}
        />
      )}
    </>
  );
}

function wordsFor({ code, retryAfter }: Refusal, refusals: SendRefusals): string {
  const text = code in refusals ? refusals[code as keyof SendRefusals] : code;
  return fill(text, { n: retryAfter ?? 0 });
}
