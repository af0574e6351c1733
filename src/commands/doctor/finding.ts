/** One line of what the doctor says. */
export interface Finding {
  isWell: boolean;
  about: string;
  /** What is, and where it is not well what to do. */
  words: string;
}

export function well(about: string, words: string): Finding {
  return { isWell: true, about, words };
}

export function unwell(about: string, words: string): Finding {
  return { isWell: false, about, words };
}

export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
