import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createLog, readable } from "./log.ts";

/** Any text without half of a surrogate pair. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }))
  .map((units) => String.fromCharCode(...units).toWellFormed());

interface Line extends Record<string, unknown> {
  time: string;
  level: string;
  event: string;
}

describe("an event", () => {
  test("is one line of JSON with its time, level, name and details", () => {
    const [line] = logged((log) => log.info("listening", { port: 3000, tags: ["a"] }));
    expect(line).toMatchObject({ level: "info", event: "listening", port: 3000, tags: ["a"] });
    expect(Math.abs(Date.parse(line?.time ?? "") - Date.now())).toBeLessThan(10_000);
  });

  test("has one of three levels", () => {
    const lines = logged((log) => {
      log.info("a");
      log.warn("b");
      log.error("c");
    });
    expect(lines.map(({ level, event }) => `${level} ${event}`)).toEqual(["info a", "warn b", "error c"]);
  });

  test.each([
    ["line breaks", "a\r\nb\nc\rd"],
    ["escape codes", "\u001b[2J\u001b[31mred\u001b]0;title\u0007"],
    ["control characters of one byte", "\0\b\f\v\u007f"],
    ["escape codes of one character", "\u009b2J\u0085\u0090"],
    ["line and paragraph separators", "a\u2028b\u2029c"],
    ["a forged line", '"}\n{"level":"error","event":"forged"}'],
  ])("with %s stays one line, and nothing in it reaches the terminal", (_, text) => {
    for (const details of [
      { text },
      { [text]: 1 },
      { error: new Error(text) },
      { nested: { list: [text] } },
    ]) {
      const [raw = "", ...more] = written((log) => log.warn(`event ${text}`, details));
      expect(more).toEqual([]);
      expect(raw).toMatch(/^\{[^\p{Cc}\u2028\u2029]*\}$/u);
      expect((JSON.parse(raw) as Line).event).toBe(`event ${text}`);
    }
  });

  test("of any text is a line of its own", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const [raw = ""] = written((log) => log.info("said", { text }));
        expect(raw).toMatch(/^[ -\u{10ffff}]*$/u);
        expect(JSON.parse(raw)).toMatchObject({ event: "said", text });
      }),
    );
  });
});

describe("an error", () => {
  test("keeps its name, message and whole stack in one field", () => {
    const error = new RangeError("too\nfar");
    const [line] = logged((log) => log.error("request failed", { method: "GET", error }));
    expect(line).toMatchObject({ event: "request failed", method: "GET" });
    expect(line?.["error"]).toMatchObject({ name: "RangeError", message: "too\nfar", stack: error.stack });
    expect(error.stack).toContain("log.test.ts");
  });

  test("keeps its code, if it has one", () => {
    const error = Object.assign(new Error("full"), { code: "SQLITE_FULL" });
    expect(logged((log) => log.error("failed", { error }))[0]?.["error"]).toMatchObject({
      code: "SQLITE_FULL",
    });
    const plain = logged((log) => log.error("failed", { error: new Error("a") }))[0]?.["error"];
    expect(plain).not.toHaveProperty("code");
  });

  test("keeps what caused it", () => {
    const error = new Error("query failed", { cause: new Error("disk is full") });
    expect(written((log) => log.error("request failed", { error })).join("")).toContain("disk is full");
  });

  test("may be its own cause, or hold what cannot be written down", () => {
    const own = new Error("again");
    own.cause = own;
    const round: Record<string, unknown> = { password: "hush" };
    round["itself"] = round;
    const lines = logged((log) => {
      log.error("failed", { error: own });
      log.error("failed", { error: round });
    });
    expect(lines).toMatchObject([
      { error: { message: "again", cause: { message: "again" } } },
      { error: "[object]" },
    ]);
  });

  test("may be something else that was thrown", () => {
    expect(logged((log) => log.error("request failed", { error: "a text" }))[0]).toMatchObject({
      error: "a text",
    });
    expect(logged((log) => log.error("request failed", { error: null }))[0]).toMatchObject({ error: null });
    expect(logged((log) => log.error("request failed", { error: undefined }))[0]).toMatchObject({
      event: "request failed",
    });
  });
});

function written(act: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  act(createLog((line) => void lines.push(line)));
  return lines;
}

function logged(act: (log: ReturnType<typeof createLog>) => void): Line[] {
  return written(act).map((line) => JSON.parse(line) as Line);
}

describe("at a terminal", () => {
  const shown = (hasColours: boolean, act: (log: ReturnType<typeof createLog>) => void): string[] => {
    const lines: string[] = [];
    act(createLog((line) => void lines.push(line), readable(hasColours)));
    return lines;
  };

  test("an event is its time of day, level, name and details", () => {
    const details = { port: 3000, name: "two words", list: ["a"], none: null, unset: undefined };
    const [line] = shown(false, (log) => log.warn("not ready", details));
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d warn {2}not ready port=3000 name="two words" list=\["a"\] none=null$/,
    );
  });

  test("an error's fields stand by themselves, with what caused it", () => {
    const error = new RangeError("too\nfar", { cause: new Error("full") });
    const [line] = shown(false, (log) => log.error("request failed", { method: "GET", error }));
    expect(line).toMatch(/^\d\d:\d\d:\d\d error request failed method=GET error.name=RangeError /);
    expect(line).toContain(' error.message="too\\nfar" error.stack="');
    expect(line).toContain(" error.cause.message=full ");
  });

  test("there is colour only where it is wanted", () => {
    const colourful = shown(true, (log) => log.error("failed", { a: 1 })).join("");
    expect(colourful).toContain("\u001b[31merror");
    expect(shown(false, (log) => log.error("failed", { a: 1 })).join("")).not.toContain("\u001b");
  });

  test("any text stays on its line, and does nothing to the terminal", () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, hasColours) => {
        const details = { text, [text]: 1, nested: { text: [text] }, error: new Error(text) };
        const lines = shown(hasColours, (log) => log.info(`event ${text}`, details));
        expect(lines).toHaveLength(1);
        // eslint-disable-next-line no-control-regex
        const plain = (lines[0] ?? "").replace(/\u001b\[\d+m/g, "");
        expect(plain).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u);
      }),
    );
    const [line] = shown(false, (log) => log.info("\u202egnp.exe\u001b[2J\r\n", { a: "\u{e0001}" }));
    expect(line).toEndWith(' info  \\u202egnp.exe\\u001b[2J\\r\\n a="\\udb40\\udc01"');
  });
});

test("a query that failed is told without its values", () => {
  const values = ["ann", "a hash"];
  const error = Object.assign(new Error(`Failed query: select ?\nparams: ${values.join(",")}`), {
    params: values,
  });
  const cause = new Error("no such table");
  for (const form of [undefined, readable(false)]) {
    const lines: string[] = [];
    createLog((line) => void lines.push(line), form).error("request failed", {
      error: Object.assign(error, { cause }),
    });
    const text = lines.join("");
    expect(text).toContain("Failed query: select ?");
    expect(text).toContain("no such table");
    expect(text).toContain("log.test.ts");
    expect(text).not.toMatch(/params|a hash/);
  }
});
