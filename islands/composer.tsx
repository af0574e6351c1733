/** The composer: the server's form, which sends over the socket while there is one. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { codePoints, strip } from "../src/shared/text.ts";
import { Composer, type ComposerProps } from "../views/components/composer.tsx";
import { Editing, ownLatest, useOwnMessages, type EditorData, type Task } from "./editing.tsx";
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
  const draft = `draft:${form.room}:${user}`;
  const field = useRef<HTMLTextAreaElement>(null);
  // Whoever was quicker than this script keeps what they have typed.
  const [text, setText] = useState(
    () => root.querySelector("textarea")?.value || form.text || (sessionStorage.getItem(draft) ?? ""),
  );
  const [error, setError] = useState(form.error);
  // Set while the form goes its own way: what it carries is no draft any more.
  const posting = useRef(false);
  // At once: the page may be left in the next moment.
  useLayoutEffect(() => {
    if (!posting.current) writeDraft(draft, text);
  }, [draft, text]);
  useEffect(() => {
    if (wasPosted) field.current?.focus();
    wasPosted = false;
  }, []);

  const [task, setTask] = useState<Task | null>(null);
  useOwnMessages(setTask);

  const goesOn = useRef(false);
  // As soon as it stands there again, and not after the next task has begun.
  useLayoutEffect(() => {
    if (task === null && goesOn.current) field.current?.focus();
    goesOn.current = false;
  }, [task]);

  function endTask(where: "composer" | "there"): void {
    goesOn.current = where === "composer";
    setTask(null);
  }

  function submit(event: Event): void {
    const blank = strip(text) === "";
    const tooLong = codePoints(strip(text)) > form.maxLength;
    const room = roomBySlug(form.room);
    // Signed out: the banner says so, and the text waits here until its writer is back.
    const mayGo = !blank && !tooLong && !room?.signedOut.value;
    const sent = mayGo && room?.send(strip(text));
    if (mayGo && !sent) {
      posting.current = wasPosted = true;
      return writeDraft(draft, "");
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
        if (strip(field.current?.value ?? "") !== "") roomBySlug(form.room)?.typed();
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
      {task && <Editing key={`${task.act} ${task.id}`} {...{ task, form, editor, onEnd: endTask }} />}
    </>
  );
}

/** Under a name of its room and its writer: whoever signs in next on this tab does not find it. */
function writeDraft(name: string, text: string): void {
  if (text) sessionStorage.setItem(name, text);
  else sessionStorage.removeItem(name);
}
