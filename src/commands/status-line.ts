/** What a command that takes a while tells meanwhile. */

/** Milliseconds between lines that say how far it is. */
const TOLD_EVERY = 100;

export interface StatusLine {
  show(act: string, what: string, count: number): void;
  clear(): void;
}

/** One line of a terminal that tells how far it is; none where nobody looks. */
export function createStatusLine(): StatusLine {
  const { stderr } = process;
  let toldAt = 0;
  const write = (words: string) => stderr.isTTY && stderr.write(`\r\u001b[K${words}`);
  return {
    show(act, what, count) {
      const now = performance.now();
      if (now - toldAt < TOLD_EVERY) return;
      toldAt = now;
      write(`${act} ${what}: ${counted(count)}`);
    },
    clear: () => void write(""),
  };
}

export function counted(count: number): string {
  return count.toLocaleString("en");
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
