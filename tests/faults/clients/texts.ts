/** Words that are never the same twice in a run, and keys for them. */
export interface Texts {
  next(who: string, length?: number): string;
  key(): string;
}

const PADDING = ["", " and so on", " — и так далее", " 🐢🐇", "\nin two lines"];

export function createTexts(random: () => number): Texts {
  let count = 0;
  const digits = () => Math.floor(random() * 2 ** 32).toString(36);
  return {
    next(who, length = 0) {
      const padding = PADDING[Math.floor(random() * PADDING.length)] ?? "";
      return `${who} ${++count}${padding}`.padEnd(length, "x");
    },
    key: () => `${++count}_${digits()}${digits()}`.padEnd(8, "0"),
  };
}
