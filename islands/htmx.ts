/** htmx is half of the bytes of a page and most visits never use it, so it comes when something it drives is in view. */

export async function loadHtmx() {
  const { default: htmx } = await import("htmx.org");
  return htmx;
}

/** Milliseconds. */
const RETRY = 10_000;

const views = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) void drive(target);
});

async function drive(element: Element): Promise<void> {
  views.unobserve(element);
  try {
    const htmx = await loadHtmx();
    htmx.process(element);
  } catch {
    // The server is away: its links and forms go on as plain ones, and it is tried again.
    setTimeout(() => views.observe(element), RETRY);
  }
}

/** Until it is there, its links and forms work as plain ones. */
export function driveInView(root: ParentNode): void {
  for (const element of root.querySelectorAll("[hx-get], [hx-post]")) views.observe(element);
}

/** What was loaded there does not lead to the first row of the pane any more. */
export async function emptyHistory(): Promise<void> {
  const target = document.getElementById("history");
  if (!target?.hasChildNodes()) return;
  const htmx = await loadHtmx();
  await htmx.swap({ sourceElement: target, target, text: "", swap: "innerHTML" });
}

/** The pane has gone on while it was asked for what came before its first row: that would leave a hole now. */
export function leaveNoHole(): void {
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement, request } = contextOf(event);
    const isOutdated =
      sourceElement.matches("echo-island .older a") &&
      sourceElement.getAttribute("hx-get") !== request?.action;
    if (isOutdated) event.preventDefault();
  });
}

/** The link to older messages goes with the row it stands in; whoever pressed it goes on from the next one. */
export function keepFocusInHistory(): void {
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
  type Context = { sourceElement: Element; request?: { action: string } };
  return (event as CustomEvent<{ ctx: Context }>).detail.ctx;
}
