/** Mounts an island wherever its element appears, and unmounts it where it is taken away, whoever does either. */
import { hydrate, render, type FunctionComponent, h } from "preact";

/** What every island gets besides its data: the element it hydrates. */
export interface IslandProps {
  root: HTMLElement;
}

export type IslandComponent = FunctionComponent<never>;

export function defineIslands(components: Record<string, IslandComponent>): void {
  customElements.define(
    "echo-island",
    class extends HTMLElement {
      connectedCallback(): void {
        const component = components[this.getAttribute("name") ?? ""] as
          FunctionComponent<object> | undefined;
        const data = this.querySelector(":scope > script")?.textContent;
        const root = this.root();
        if (component && data && root) hydrate(h(component, { ...JSON.parse(data), root }), root);
      }

      disconnectedCallback(): void {
        // A move takes an element out and puts it in again at once; only one that stays out is over.
        queueMicrotask(() => {
          const root = this.root();
          if (!this.isConnected && root) render(null, root);
        });
      }

      private root(): HTMLElement | null {
        return this.querySelector<HTMLElement>(":scope > div");
      }
    },
  );
}
