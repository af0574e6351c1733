/** htmx is half of the bytes of a page and most visits never use it, so it comes when something it drives is in view. */

export async function loadHtmx() {
  const { default: htmx } = await import("htmx.org");
  return htmx;
}

/** Until it is there, its links and forms work as plain ones. */
export function loadHtmxInView(): void {
  const driven = document.querySelectorAll("[hx-get], [hx-post]");
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    void loadHtmx();
  });
  for (const element of driven) observer.observe(element);
}

/** The link to older messages goes with the row it stands in; whoever pressed it goes on from the next one. */
export function keepFocusInHistory(): void {
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement } = (event as CustomEvent<{ ctx: { sourceElement: Element } }>).detail.ctx;
    const history = sourceElement.closest("#history");
    if (!history || sourceElement !== document.activeElement) return;
    const observer = new MutationObserver(() => {
      observer.disconnect();
      const next =
        history.querySelector<HTMLElement>(".older a") ?? history.closest<HTMLElement>(".scroller");
      next?.focus({ preventScroll: true });
    });
    observer.observe(history, { childList: true });
  });
}
