/** The only user of the console: one line per event, JSON for programs and another form for people at a terminal. */

type Level = "info" | "warn" | "error";

export interface Log {
  info(event: string, details?: Record<string, unknown>): void;
  warn(event: string, details?: Record<string, unknown>): void;
  error(event: string, details?: Record<string, unknown>): void;
}

interface Event {
  time: Date;
  level: Level;
  event: string;
  details: Record<string, unknown>;
}

export function createLog(
  write: (line: string) => void = (line) => console.error(line),
  form: (event: Event) => string = asJson,
): Log {
  const at = (level: Level) => (event: string, details?: Record<string, unknown>) =>
    write(form({ time: new Date(), level, event, details: plain(details) }));
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

/** For the person at the terminal: the line that says where the program listens, or why it does not start. */
export function say(line: string): void {
  console.log(line);
}

export function complain(line: string): void {
  console.error(line);
}

function asJson({ time, level, event, details }: Event): string {
  return oneLine({ time: time.toISOString(), level, event, ...details });
}

const COLOURS: Record<Level, string> = { info: "36", warn: "33", error: "31" };

/** The time of day, what happened, and what else is known of it. */
export function readable(hasColours: boolean): (event: Event) => string {
  const painted = (codes: string, text: string) => (hasColours ? `\u001b[${codes}m${text}\u001b[0m` : text);
  return ({ time, level, event, details }) => {
    const pairs = flat(details).map(([name, value]) => `${painted("2", `${word(name)}=`)}${word(value)}`);
    const clock = time.toTimeString().slice(0, 8);
    const what = painted("1", oneLine(event).slice(1, -1));
    return [painted("2", clock), painted(COLOURS[level], level.padEnd(5)), what, ...pairs].join(" ");
  };
}

/** What lies within an error or another object by a name of its own. */
function flat(details: Record<string, unknown>, prefix = ""): [string, unknown][] {
  return Object.entries(details).flatMap(([name, value]): [string, unknown][] =>
    value?.constructor === Object
      ? flat(value as Record<string, unknown>, `${prefix}${name}.`)
      : value === undefined
        ? []
        : [[prefix + name, value]],
  );
}

/** As it is when there is nothing in it that could be mistaken, else in quotes. */
function word(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@-]+$/.test(value) ? value : oneLine(value);
}

/** JSON escapes line breaks and most control characters; terminals and readers of lines know a few more. */
function oneLine(value: unknown): string {
  return (JSON.stringify(value) ?? "null").replace(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, escaped);
}

function escaped(character: string): string {
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return units.map((unit) => `\\u${unit}`).join("");
}

/** JSON drops the fields of an error, so they are named here; of what else was thrown nobody knows what it holds. */
function plain(details: Record<string, unknown> = {}): Record<string, unknown> {
  const { error, ...rest } = details;
  if (error instanceof Error) return { ...rest, error: described(error) };
  return typeof error === "object" && error !== null ? { ...rest, error: "[object]" } : details;
}

/** An error may be its own cause. */
const CAUSES_MAX = 5;

/** With what caused it: the database's own words stand there. */
function described(error: Error, causes = CAUSES_MAX): Record<string, unknown> {
  const { name, stack = "", cause } = error;
  const message = withoutValues(error);
  const trace = stack.replace(error.message, () => message);
  // The names of classes are not what they were in a binary; codes are.
  const code = "code" in error && typeof error.code === "string" && { code: error.code };
  const rest = cause instanceof Error && causes > 0 && { cause: described(cause, causes - 1) };
  return { name, ...code, message, stack: trace, ...rest };
}

/** A query that failed tells its values at its end: passwords' hashes, sessions and what people write are among them. */
function withoutValues(error: Error): string {
  return "params" in error ? (error.message.split("\nparams: ", 1)[0] ?? "") : error.message;
}
