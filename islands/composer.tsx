/** The composer: the server's form, which sends over the socket while there is one. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ClientKey } from "../src/shared/ids.ts";
import { codePoints, strip } from "../src/shared/text.ts";
import { Composer, type ComposerProps } from "../views/components/composer.tsx";
import { readDraft, writeDraft } from "./drafts.ts";
import { Editing, keptTask, ownLatest, useOwnMessages, type EditorData, type Task } from "./editing.tsx";
import type { IslandProps } from "./element.ts";
import { sends } from "./enter.ts";
import { isDriven } from "./htmx.ts";
import { roomBySlug } from "./room.ts";
import type { Writer } from "./writer.ts";

type ComposerData = Omit<ComposerProps, "field" | "onInput" | "onKeyDown" | "onSubmit"> & {
  user: Writer;
  editor: EditorData;
};

/** The composer before this one sent its form by htmx, so the writer is still here and goes on writing. */
let wasPosted = false;

export function ComposerIsland({ root, user, editor, ...form }: ComposerData & IslandProps) {
  const { room } = form;
  const place = { room, user: user.id };
  const field = useRef<HTMLTextAreaElement>(null);
  // Whoever was quicker than this script keeps what they have typed.
  const [text, setText] = useState(
    () => root.querySelector("textarea")?.value || form.text || readDraft(place),
  );
  const [error, setError] = useState(form.error);
  /** What the form has carried: before an answer nobody knows whether it is stored. */
  const posted = useRef<string | null>(null);
  // At once: the page may be left in the next moment.
  useLayoutEffect(() => writeDraft(place, text), [room, user.id, text]);
  useEffect(() => {
    if (wasPosted) field.current?.focus();
    wasPosted = false;
  }, []);
  useEffect(() => root.addEventListener("answered", answered), []);

  const [task, setTask] = useState<Task | null>(null);
  useOwnMessages(setTask);
  // The first drawing is the server's, which knows nothing of it.
  useLayoutEffect(() => setTask(keptTask(room, user.id)), [room, user.id]);

  const goesOn = useRef(false);
  // As soon as it stands there again, and not after the next task has begun.
  useLayoutEffect(() => {
    if (task === null && goesOn.current) field.current?.focus();
    goesOn.current = false;
  }, [task]);

  function endTask(where: "composer" | "there"): void {
    goesOn.current = where === "composer";
    setTask(keptTask(room, user.id));
  }

  function answered(event: Event): void {
    const { detail: status } = event as CustomEvent<number>;
    if (status === 0) return setError(form.t.unreachable);
    // Whoever has typed on has a draft.
    if (status < 400 && readDraft(place) === posted.current) writeDraft(place, "");
  }

  function submit(event: Event): void {
    const blank = strip(text) === "";
    const tooLong = codePoints(strip(text)) > form.maxLength;
    const live = roomBySlug(room);
    // Signed out: the banner says so, and the text waits here until its writer is back.
    const mayGo = !blank && !tooLong && !live?.signedOut.value;
    const key = posted.current === text ? (form.messageKey as ClientKey) : undefined;
    const sent = mayGo && live?.send(strip(text), key);
    if (mayGo && !sent) {
      wasPosted = true;
      posted.current = text;
      // Where the browser sends it nobody hears the answer.
      if (!isDriven(event.currentTarget as Element)) writeDraft(place, "");
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    field.current?.focus();
    if (!sent) return;
    posted.current = null;
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
