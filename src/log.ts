/** The only user of the console: one JSON line per event. */

type Level = "info" | "warn" | "error";

export interface Log {
  info(event: string, details?: Record<string, unknown>): void;
  warn(event: string, details?: Record<string, unknown>): void;
  error(event: string, details?: Record<string, unknown>): void;
}

export function createLog(write: (line: string) => void = (line) => console.error(line)): Log {
  const at = (level: Level) => (event: string, details?: Record<string, unknown>) =>
    write(oneLine({ time: new Date().toISOString(), level, event, ...plain(details) }));
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

/** For the person at the terminal: the line that says where the program listens, or why it does not start. */
export function say(line: string): void {
  console.log(line);
}

export function complain(line: string): void {
  console.error(line);
}

/** JSON escapes line breaks and most control characters; terminals and readers of lines know a few more. */
function oneLine(record: Record<string, unknown>): string {
  return JSON.stringify(record).replace(/[\u007f-\u009f\u2028\u2029]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** JSON drops the fields of an error, so they are named here. */
function plain(details: Record<string, unknown> = {}): Record<string, unknown> {
  const { error, ...rest } = details;
  return error instanceof Error ? { ...rest, error: described(error) } : details;
}

/** With what caused it: the database's own words stand there. */
function described({ name, message, stack, cause }: Error): Record<string, unknown> {
  return { name, message, stack, ...(cause instanceof Error && { cause: described(cause) }) };
}
