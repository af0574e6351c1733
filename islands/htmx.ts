/** htmx is half of the bytes of a page and most visits never use it, so it comes when something it drives is in view. */

export async function loadHtmx() {
  const { startHtmx } = await import("./driving.ts");
  return startHtmx();
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

/** Whether it answers a submit in the browser's place. */
export function isDriven(element: Element): boolean {
  return element.hasAttribute("data-htmx-powered");
}

/** What was loaded there does not lead to the first row of the pane any more. */
export async function emptyHistory(): Promise<void> {
  const target = document.getElementById("history");
  if (!target?.hasChildNodes()) return;
  const htmx = await loadHtmx();
  await htmx.swap({ sourceElement: target, target, text: "", swap: "innerHTML" });
}
