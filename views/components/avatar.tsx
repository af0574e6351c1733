/** The drawn default: the first letter on one of twelve colours, both from the name. */
export function Avatar({ name }: { name: string }) {
  const letter = String.fromCodePoint(name.toUpperCase().codePointAt(0) ?? QUESTION_MARK);
  return (
    <span class={`avatar hue${hue(name)}`} aria-hidden="true">
      {letter}
    </span>
  );
}

const HUES = 12;
const QUESTION_MARK = 63;

function hue(name: string): number {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) % 9973;
  return sum % HUES;
}
