/** Texts that clients send again and again, such as the headers of a browser, are worth reading once. */

/** More different texts than browsers send; whoever sends others only makes it forget. */
const KEPT = 500;

/** Remembers what a pure function makes of a text. */
export function memo<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const kept = known.get(text);
    if (kept !== undefined) return kept;
    if (known.size >= KEPT) known.clear();
    const made = read(text);
    known.set(text, made);
    return made;
  };
}
