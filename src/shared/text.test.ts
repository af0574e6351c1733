import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { checkText, codePoints, isEmojiOnly, strip, tokenize } from "./text.ts";

/** What Python's `str.isspace()` calls white space, all of it in the basic plane. */
const PYTHON_SPACES = new Set([
  ...range(0x09, 0x0d),
  ...range(0x1c, 0x20),
  0x85,
  0xa0,
  0x1680,
  ...range(0x2000, 0x200a),
  0x2028,
  0x2029,
  0x202f,
  0x205f,
  0x3000,
]);

/** Milliseconds that reading 64 KB may take. */
const LIMIT = 50;

const LINK_PROTOCOLS = ["http:", "https:", "mailto:"];

/** Any sequence of UTF-16 units, halves of surrogate pairs included, with a liking for what links are made of. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "https://",
        "http://",
        "HTTP://",
        "mailto:",
        "javascript:",
        "data:",
        "example.org",
        "/a",
        "@",
      ),
      fc.constantFrom(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "…",
        "»",
        "<",
        ">",
        '"',
        " ",
        "\n",
        "\u202e",
        "ſ",
        "😀",
      ),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
  )
  .map((parts) => parts.join(""));

describe("outer white space", () => {
  test("goes exactly where Python's strip takes it", () => {
    const wrong = [...range(0, 0xffff)].filter((unit) => {
      const character = String.fromCharCode(unit);
      const expected = PYTHON_SPACES.has(unit) ? "x" : `${character}x${character}`;
      return strip(`${character}x${character}`) !== expected;
    });
    expect(wrong.map((unit) => unit.toString(16))).toEqual([]);
  });

  test("inside a text stays, and a text of nothing else becomes empty", () => {
    expect(strip(" \t a \n b \u3000\u0085")).toBe("a \n b");
    expect(strip(" \u001c\u2028\t")).toBe("");
    expect(strip("")).toBe("");
  });

  test("is gone after one pass, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => strip(strip(text)) === strip(text) && text.includes(strip(text))),
    );
  });
});

describe("the length of a text", () => {
  test("counts an emoji outside the basic plane as one and a half pair as one", () => {
    expect(codePoints("añ日")).toBe(3);
    expect(codePoints("😀😀")).toBe(2);
    expect(codePoints("\ud83d")).toBe(1);
    expect(codePoints("\ude00\ud83d")).toBe(2);
  });

  test("is the number of code points of any text", () => {
    fc.assert(fc.property(anyText, (text) => codePoints(text) === Array.from(text).length));
  });
});

describe("a text to send", () => {
  test("is kept without its outer white space", () => {
    expect(checkText("  hello\nthere \n", 100)).toEqual({ text: "hello\nthere" });
  });

  test.each(["", " ", "\n\t\u3000", "\u001f\u0085"])("is blank when it is only white space: %j", (text) => {
    expect(checkText(`${text}.${text}`, 100)).toEqual({ text: "." });
    expect(checkText(text, 100)).toEqual({ fault: "blank" });
  });

  test("may be as long as the limit in code points, after stripping, and no longer", () => {
    expect(checkText(` ${"😀".repeat(10)} `, 10)).toEqual({ text: "😀".repeat(10) });
    expect(checkText("😀".repeat(11), 10)).toEqual({ fault: "too_long" });
  });

  test.each(["a\0b", "\0", "a\ud83d", "\ude00b", "\ude00\ud83d"])(
    "holds nothing that storage cannot: %j",
    (text) => {
      expect(checkText("a😀b", 100)).toEqual({ text: "a😀b" });
      expect(checkText(text, 100)).toEqual({ fault: "bad_characters" });
    },
  );
});

describe("links", () => {
  test.each([
    ["https://example.org", "https://example.org"],
    ["HTTPS://Example.org/Path", "HTTPS://Example.org/Path"],
    ["http://localhost:3000/?a=1&b=2#c", "http://localhost:3000/?a=1&b=2#c"],
    ["mailto:ann@example.org", "mailto:ann@example.org"],
    ["смотри https://пример.рф/путь?я=ы", "https://пример.рф/путь?я=ы"],
    ["日本https://example.org/日本", "https://example.org/日本"],
    ["https://example.org/😀", "https://example.org/😀"],
    ["read https://example.org.", "https://example.org"],
    ["https://example.org/a, and more", "https://example.org/a"],
    ["is it https://example.org/?!", "https://example.org/"],
    ["https://example.org/a…", "https://example.org/a"],
    ["“https://example.org/a”", "https://example.org/a"],
    ["«https://example.org/a»", "https://example.org/a"],
    ['"https://example.org/a"', "https://example.org/a"],
    ["<https://example.org/a>", "https://example.org/a"],
    ["*https://example.org/a*", "https://example.org/a"],
    ["(https://example.org/a)", "https://example.org/a"],
    ["[docs](https://example.org/a).", "https://example.org/a"],
    ["https://example.org/wiki/A_(b)", "https://example.org/wiki/A_(b)"],
    ["(see https://example.org/wiki/A_(b))", "https://example.org/wiki/A_(b)"],
    ["https://example.org/[x]{y}", "https://example.org/[x]{y}"],
    ["https://example.org/a]", "https://example.org/a"],
    ["https://example.org\nnext line", "https://example.org"],
  ])("are found in %j", (text, link) => {
    expect(linksOf(text)).toEqual([link]);
  });

  test("lead where they say", () => {
    for (const token of tokenize("a https://example.org/a. b mailto:ann@example.org c")) {
      if (token.kind === "link") expect(token.href).toBe(token.text);
    }
  });

  test("stand among the text around them, in order", () => {
    expect(tokenize("a https://a.example, b https://b.example")).toEqual([
      { kind: "text", text: "a " },
      { kind: "link", text: "https://a.example", href: "https://a.example" },
      { kind: "text", text: ", b " },
      { kind: "link", text: "https://b.example", href: "https://b.example" },
    ]);
  });

  test.each([
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "ftp://example.org/",
    "ws://example.org/",
    "//example.org/a",
    "httpſ://example.org/",
    "https:example.org",
    "https://",
    "http:///",
    "https://.,)",
    "mailto:nobody",
    "mailto:",
    "xhttps://example.org",
  ])("are never made of %j", (text) => {
    expect(linksOf("https://example.org")).toHaveLength(1);
    expect(linksOf(text)).toEqual([]);
    expect(linksOf(`before ${text} after`)).toEqual([]);
  });

  test("have one of three schemes, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const link of linksOf(text)) expect(LINK_PROTOCOLS).toContain(new URL(link).protocol);
      }),
      { numRuns: 500 },
    );
  });
});

test("the texts of all tokens, joined, are the text", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const tokens = tokenize(text);
      expect(tokens.map((token) => token.text).join("")).toBe(text);
      expect(tokens.filter((token) => token.text === "")).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

describe("a message of emoji", () => {
  test.each(["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇷🇺 🇫🇷", "❤️", "😀\n😀"])("is %s", (text) => {
    expect(isEmojiOnly(text)).toBe(true);
  });

  test.each(["a", "1", "#", "*", "😀!", "ok 😀", "😀".repeat(21)])("is not %s", (text) => {
    expect(isEmojiOnly("😀")).toBe(true);
    expect(isEmojiOnly(text)).toBe(false);
  });
});

describe("64 KB made to hurt take less than 50 ms", () => {
  const readings = {
    checkText: (text: string) => checkText(text, 100_000),
    codePoints,
    isEmojiOnly,
    strip,
    tokenize,
  };

  test.each([
    ["one space", " ", ""],
    ["half a pair", "\ud83d", ""],
    ["an emoji", "😀", ""],
    ["the start of a link", "https://", ""],
    ["links", "https://a.example ", ""],
    ["mail", "mailto:a@", ""],
    ["the start of bracketed hosts", "https://[ ", ""],
    ["percent signs", "https://example.org/%%% ", ""],
    ["full stops after a link", ".", "https://example.org/"],
    ["closing brackets after a link", ")", "https://example.org/"],
    ["pairs of closing brackets after a link", ")]", "https://example.org/"],
    ["brackets that close in turn", "(.)", "https://example.org/"],
    ["ellipses after a link", "…", "https://example.org/"],
    ["dots in a host", "a.", "https://"],
    ["joined emoji", "👩\u200d", ""],
  ])("%s", (_, piece, start) => {
    // Smaller sizes first, so that something worse than linear is seen before it takes minutes.
    for (const size of [1, 4, 16, 64]) {
      const text = start + piece.repeat((size * 1024) / piece.length);
      for (const [name, read] of Object.entries(readings)) {
        const took = timeOf(() => read(text));
        if (took >= LIMIT) throw new Error(`${name} took ${took.toFixed()} ms for ${size} KB`);
      }
    }
  });
});

function linksOf(text: string): string[] {
  return tokenize(text).flatMap((token) => (token.kind === "link" ? [token.href] : []));
}

/** Milliseconds of processor time, which a busy machine does not add to; the best of three runs. */
function timeOf(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && best >= LIMIT; i++) {
    const started = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(started);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

function* range(first: number, last: number): Generator<number> {
  for (let i = first; i <= last; i++) yield i;
}
