/** htmx, and what it has to know of our pages. Nothing else of ours is imported here: they come as one script. */
import htmx from "htmx.org";

/** Bad Gateway and Gateway Timeout: a proxy answers for a server that is away. */
const NO_ANSWER = [502, 504];

let isStarted = false;

export function startHtmx() {
  if (!isStarted) {
    tellAnswers();
    keepFocusInHistory();
    leaveNoHole();
  }
  isStarted = true;
  return htmx;
}

/** Whatever asked hears as `answered` with which status, before a page takes its place; 0 for not at all. */
function tellAnswers(): void {
  const tell = (asker: EventTarget | null, detail: number) =>
    asker?.dispatchEvent(new CustomEvent("answered", { detail, bubbles: true }));
  document.addEventListener("htmx:error", ({ target }) => tell(target, 0));
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement, response } = contextOf(event);
    if (!response) return;
    const isAnswer = !NO_ANSWER.includes(response.status);
    if (!isAnswer) event.preventDefault();
    tell(sourceElement, isAnswer ? response.status : 0);
  });
}

/** The pane has gone on while it was asked for what came before its first row: that would leave a hole now. */
function leaveNoHole(): void {
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement, request } = contextOf(event);
    const isOutdated =
      sourceElement.matches("echo-island .older a") &&
      sourceElement.getAttribute("hx-get") !== request?.action;
    if (isOutdated) event.preventDefault();
  });
}

/** The link to older messages goes with the row it stands in; whoever pressed it goes on from the next one. */
function keepFocusInHistory(): void {
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement } = contextOf(event);
    const history = document.getElementById("history");
    if (!history || !sourceElement.matches(".older a") || sourceElement !== document.activeElement) return;
    const observer = new MutationObserver(() => {
      observer.disconnect();
      const next =
        history.querySelector<HTMLElement>(".older a") ?? history.closest<HTMLElement>(".scroller");
      next?.focus({ preventScroll: true });
    });
    observer.observe(history, { childList: true });
  });
}

function contextOf(event: Event) {
  type Context = { sourceElement: Element; request?: { action: string }; response?: { status: number } };
  return (event as CustomEvent<{ ctx: Context }>).detail.ctx;
}
