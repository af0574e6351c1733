import type { ComponentChildren } from "preact";

/** Server HTML that a script takes over. The island's props lie beside it as data; `islands/main.tsx` knows the names. */
export function Island(props: { name: string; data: unknown; children: ComponentChildren }) {
  return (
    <echo-island name={props.name}>
      <script type="application/json" dangerouslySetInnerHTML={{ __html: inScript(props.data) }} />
      <div>{props.children}</div>
    </echo-island>
  );
}

/** `<` is the only character that could end the script element early. */
function inScript(data: unknown): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "echo-island": { name: string; children?: ComponentChildren };
    }
  }
}
