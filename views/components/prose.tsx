/** What people write: text, in which addresses are links. */
import { tokenize, type Token } from "../../src/shared/text.ts";

export function Prose({ text }: { text: string }) {
  return <>{tokenize(text).map(drawToken)}</>;
}

function drawToken(token: Token) {
  if (token.kind === "text") return token.text;
  return (
    <a href={token.href} rel="noopener nofollow ugc">
      {token.text}
    </a>
  );
}
