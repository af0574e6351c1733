/** What a command that takes a while tells meanwhile, and how it is called off. */

/** Milliseconds between two states of it. */
const TOLD_EVERY = 100;

const BAR = 24;

export interface StatusLine {
  show(words: () => string): void;
  clear(): void;
}

/** One line of a terminal that tells how far it is; none where nobody looks. */
export function createStatusLine(): StatusLine {
  const { stderr } = process;
  let toldAt = 0;
  const write = (words: string) => void (stderr.isTTY && stderr.write(`\r\u001b[K${words}`));
  return {
    show(words) {
      const now = performance.now();
      if (now - toldAt < TOLD_EVERY) return;
      toldAt = now;
      write(words());
    },
    clear: () => write(""),
  };
}

/** Such as "[######------------------]  25%  1,000 of 4,000". */
export function progressBar(done: number, all: number): string {
  const share = all === 0 ? 1 : Math.min(1, done / all);
  const filled = Math.round(share * BAR);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}] ${percent}  ${counted(done)} of ${counted(all)}`;
}

export function counted(rows: number): string {
  return rows.toLocaleString("en");
}

/** Runs `work` with a signal that Ctrl+C gives, and whoever ends the program. */
export async function untilCalledOff<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const calledOff = new AbortController();
  const callOff = () => calledOff.abort();
  process.once("SIGINT", callOff).once("SIGTERM", callOff);
  try {
    return await work(calledOff.signal);
  } finally {
    process.off("SIGINT", callOff).off("SIGTERM", callOff);
  }
}
