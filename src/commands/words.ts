/** The one word that a command takes; null where there is none, or anything else. */
export function onlyWord([word = "", ...more]: readonly string[]): string | null {
  return word === "" || word.startsWith("-") || more.length > 0 ? null : word;
}
