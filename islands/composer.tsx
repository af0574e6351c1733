/** The composer: the server's form, which sends over the socket while there is one. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { codePoints, strip } from "../src/shared/text.ts";
import { Composer, type ComposerProps } from "../views/components/composer.tsx";
import { readDraft, writeDraft } from "./drafts.ts";
import { Editing, keptTask, ownLatest, useOwnMessages, type EditorData, type Task } from "./editing.tsx";
import type { IslandProps } from "./element.ts";
import { sends } from "./enter.ts";
import { roomBySlug } from "./room.ts";

type ComposerData = Omit<ComposerProps, "field" | "onInput" | "onKeyDown" | "onSubmit"> & {
  user: string;
  editor: EditorData;
};

/** The composer before this one sent its form by htmx, so the writer is still here and goes on writing. */
let wasPosted = false;

export function ComposerIsland({ root, user, editor, ...form }: ComposerData & IslandProps) {
  const { room } = form;
  const field = useRef<HTMLTextAreaElement>(null);
  // Whoever was quicker than this script keeps what they have typed.
  const [text, setText] = useState(
    () => root.querySelector("textarea")?.value || form.text || readDraft({ room, user }),
  );
  const [error, setError] = useState(form.error);
  // Set while the form goes its own way: what it carries is no draft any more.
  const posting = useRef(false);
  // At once: the page may be left in the next moment.
  useLayoutEffect(() => {
    if (!posting.current) writeDraft({ room, user }, text);
  }, [room, user, text]);
  useEffect(() => {
    if (wasPosted) field.current?.focus();
    wasPosted = false;
  }, []);

  const [task, setTask] = useState<Task | null>(null);
  useOwnMessages(setTask);
  // The first drawing is the server's, which knows nothing of it.
  useLayoutEffect(() => setTask(keptTask(room, user)), [room, user]);

  const goesOn = useRef(false);
  // As soon as it stands there again, and not after the next task has begun.
  useLayoutEffect(() => {
    if (task === null && goesOn.current) field.current?.focus();
    goesOn.current = false;
  }, [task]);

  function endTask(where: "composer" | "there"): void {
    goesOn.current = where === "composer";
    setTask(keptTask(room, user));
  }

  function submit(event: Event): void {
    const blank = strip(text) === "";
    const tooLong = codePoints(strip(text)) > form.maxLength;
    const live = roomBySlug(room);
    // Signed out: the banner says so, and the text waits here until its writer is back.
    const mayGo = !blank && !tooLong && !live?.signedOut.value;
    const sent = mayGo && live?.send(strip(text));
    if (mayGo && !sent) {
      posting.current = wasPosted = true;
      return writeDraft({ room, user }, "");
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    field.current?.focus();
    if (!sent) return;
    setText("");
    setError(null);
  }

  const composer = (
    <Composer
      {...form}
      text={text}
      error={error}
      field={field}
      onInput={() => {
        posting.current = false;
        setText(field.current?.value ?? "");
        if (strip(field.current?.value ?? "") !== "") roomBySlug(room)?.typed();
      }}
      onKeyDown={(event) => {
        const own = event.key === "ArrowUp" && text === "" ? ownLatest() : null;
        if (own) setTask(own);
        if (!own && !sends(event)) return;
        event.preventDefault();
        if (!own) field.current?.form?.requestSubmit();
      }}
      onSubmit={submit}
    />
  );
  return (
    <>
      {task?.act !== "edit" && composer}
      {task && <Editing key={`${task.act} ${task.id}`} {...{ task, form, user, editor, onEnd: endTask }} />}
    </>
  );
}
