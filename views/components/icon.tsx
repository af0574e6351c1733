import type { IconNode } from "lucide";
import { h } from "preact";

/** A lucide icon, drawn as SVG where it stands. Decoration: whatever it means is said in text beside it. */
export function Icon({ node }: { node: IconNode }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {node.map(([tag, attributes]) => h(tag, attributes))}
    </svg>
  );
}
