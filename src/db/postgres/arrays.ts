/**
 * How lists go to the server and come back. The driver can ask the server at every connection, and where that connection
 * ends at this moment its error is nobody's to catch, so it is told.
 */

const WHOLE_NUMBERS = 1016;
const TEXTS = 1009;

export const ARRAYS = {
  wholeNumbers: {
    to: WHOLE_NUMBERS,
    from: [WHOLE_NUMBERS],
    serialize: (numbers: readonly (number | null)[]) =>
      `{${numbers.map((number) => number ?? "NULL").join()}}`,
    parse: (text: string) => (text === "{}" ? [] : text.slice(1, -1).split(",").map(Number)),
  },
  texts: {
    to: TEXTS,
    from: [],
    serialize: (texts: readonly (string | null)[]) => `{${texts.map(quoted).join()}}`,
    parse: String,
  },
};

function quoted(text: string | null): string {
  return text === null ? "NULL" : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
