import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { renderToString } from "preact-render-to-string";
import { en } from "../../src/shared/locale/en.ts";
import { catalogs } from "../../src/shared/locale/locale.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { tags, type Tag } from "../../src/testing/html.ts";
import { Message, type MessageProps } from "./message.tsx";

/** Any text without half of a surrogate pair. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }))
  .map((units) => String.fromCharCode(...units).toWellFormed());

const AT = Date.UTC(2026, 10, 22, 21, 5, 9);

/** What has run scripts in other people's chats. */
const PAYLOADS = [
  "<script>alert(1)</script>",
  "<script src=//evil.example></script>",
  "<script>alert(1)",
  "<img src=x onerror=alert(1)>",
  '<img src="x" onerror="alert(1)"',
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<iframe src=javascript:alert(1)>",
  '<iframe srcdoc="<script>alert(1)</script>">',
  "<object data=javascript:alert(1)>",
  "<embed src=javascript:alert(1)>",
  "<body onload=alert(1)>",
  "<details open ontoggle=alert(1)>",
  "<input autofocus onfocus=alert(1)>",
  "<video><source onerror=alert(1)>",
  "<form action=javascript:alert(1)><button>x",
  "<a href=javascript:alert(1)>x</a>",
  '<a href="jav&#x09;ascript:alert(1)">x</a>',
  "<base href=//evil.example/>",
  "<link rel=stylesheet href=//evil.example>",
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  "<style>@import '//evil.example'</style>",
  "<div style=background:url(//evil.example)>",
  "<div hx-get=/logout hx-trigger=load>",
  "<div hx-on:load=alert(1)>",
  "<template><script>alert(1)</script></template>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "<!--<img src=x onerror=alert(1)>-->",
  "<![CDATA[<script>alert(1)</script>]]>",
  "<?xml version='1.0'?><script>alert(1)</script>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "&#60;script&#62;alert(1)&#60;/script&#62;",
  "\\u003cscript\\u003ealert(1)",
  "${alert(1)} {{constructor.constructor('alert(1)')()}}",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\tscript:alert(1)",
  "\u0001javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  'https://example.org/"onmouseover="alert(1)',
  "https://example.org/'onmouseover='alert(1)",
  "https://example.org/`onmouseover=`alert(1)",
  "https://example.org/<script>alert(1)</script>",
  "https://example.org/&quot;onclick=&quot;alert(1)",
  "https://javascript:alert(1)@example.org/",
  'mailto:ann@example.org?subject="><script>alert(1)</script>',
];

/** Where in a page they believed themselves to be. */
const BREAKOUTS = [
  "",
  '">',
  "'>",
  "-->",
  "]]>",
  "</script>",
  "</textarea>",
  "</title>",
  "</div></li></ol>",
  "\0",
  "*/",
  "` ",
  '" autofocus onfocus=alert(1) x="',
];

const vectors = BREAKOUTS.flatMap((breakout) => PAYLOADS.map((payload) => breakout + payload));

const LINK_PROTOCOLS = ["http:", "https:", "mailto:"];
const EXPECTED = new Set(["li", "span", "div", "b", "a", "time"]);
const ATTRIBUTES = new Set([
  "class",
  "id",
  "dir",
  "href",
  "rel",
  "title",
  "datetime",
  "aria-hidden",
  "aria-label",
  "tabindex",
]);

describe("a message", () => {
  test("shows its author, its time and its text", () => {
    const drawn = draw({ author: "Ann", text: "hello\nthere" });
    expect(drawn.map(({ name }) => name).join(" ")).toBe("li a span div a b a time div");
    expect(textOf(drawn)).toBe("hello\nthere");
    expect(find(drawn, "b").text).toBe("Ann");
    expect(find(drawn, "time").attributes["datetime"]).toBe("2026-11-22T21:05:09.000Z");
    expect(find(drawn, "time").text).toMatch(/^9:05\sPM$/);
    expect(permalinkOf(drawn)).toBe("/rooms/public/messages/7");
    expect(find(drawn, "li").attributes).toMatchObject({ id: "m7", class: "message" });
  });

  test("leads to its author, by a picture or the drawn default, and by name", () => {
    const author = "Анна@home";
    const drawn = draw({ author, avatar: `profile_pics/${"a".repeat(32)}.webp` });
    expect(peopleOf(drawn)).toEqual(Array(2).fill(`/users/${encodeURIComponent(author)}`));
    const size = { width: "64", height: "64", alt: "", loading: "lazy" };
    const src = `/media/profile_pics/${"a".repeat(32)}.64.webp`;
    expect(find(drawn, "img").attributes).toEqual({ class: "avatar", src, ...size });
    expect(find(draw({ author }), "span").text).toBe("А");
    const imported = find(draw({ avatar: "profile_pics/me 2.png" }), "img").attributes;
    expect(imported["src"]).toBe("/media/profile_pics/me%202.png");
  });

  test("under another of the same author is not another way to them", () => {
    expect(peopleOf(draw({}, { grouped: true }))).toEqual([]);
    expect(find(draw({}, { grouped: true }), "b").text).toBe("ann");
  });

  test("says when it stands under another, and when it is the one looked for", () => {
    expect(find(draw({}, { grouped: true }), "li").attributes["class"]).toBe("message grouped");
    const target = find(draw({}, { target: true }), "li").attributes;
    expect(target).toMatchObject({ class: "message target", tabindex: "-1" });
    expect(target).toHaveProperty("autofocus");
  });

  test("on its way has no place yet and no permalink", () => {
    const sending = draw({}, {}, { state: "sending" });
    expect(find(sending, "li").attributes).not.toHaveProperty("id");
    expect(permalinkOf(draw({}))).toBe("/rooms/public/messages/7");
    expect(permalinkOf(sending)).toBeUndefined();
    expect(sending.map(({ text }) => text)).toContain(en.message.sending);
  });

  test("that was refused says why, and offers to try again or to give it up", () => {
    const refused = draw({}, {}, { state: "refused", reason: "too <fast>", retry() {}, discard() {} });
    const buttons = refused.filter(({ name }) => name === "button");
    expect(buttons.map(({ text }) => text)).toEqual([en.message.retry, en.message.discard]);
    expect(refused.some(({ text }) => text.includes("too <fast>"))).toBe(true);
  });

  test.each(["en", "ru"] as const)(
    "that was removed leaves a row that says so, and nothing else (%s)",
    (locale) => {
      const t = catalogs[locale].message;
      const gone = { author: "Ann", text: "", deletedAt: AT };
      for (const props of [{}, { grouped: true }]) {
        const drawn = draw(gone, { ...props, reading: { ...READING, locale, t } });
        expect(drawn.map(({ name }) => name).join(" ")).toBe("li p");
        expect(drawn[0]?.attributes).toEqual({ id: "m7", class: "message removed" });
        expect(drawn[1]?.text).toBe(t.removed);
      }
      expect(draw({ deletedAt: null }).map(({ name }) => name)).toContain("b");
    },
  );

  test("is the same for every reader but its author, whom it leads to where it is changed", () => {
    const drawnFor = (me: string | null) => draw({ author: "Ann" }, { reading: { ...READING, me } });
    expect(drawnFor("ann")).toEqual(drawnFor(null));
    expect(drawnFor("bob")).toEqual(drawnFor(null));
    const ways = drawnFor("Ann").filter(({ attributes }) => "data-act" in attributes);
    expect(ways.map(({ attributes }) => attributes["aria-label"])).toEqual([
      en.message.edit,
      en.message.remove,
    ]);
    for (const { attributes } of ways) expect(attributes["href"]).toBe("/rooms/public/messages/7");
    const ofAnn = { reading: { ...READING, me: "ann" } };
    for (const drawn of [draw({ deletedAt: AT }, ofAnn), draw({}, ofAnn, { state: "sending" })])
      expect(drawn.filter(({ attributes }) => "data-act" in attributes)).toEqual([]);
  });

  test.each([
    ["en", AT + 60_000, /^edited 9:06\sPM$/],
    ["en", AT + 86_400_000, /^edited November 23, 2026$/],
    ["ru", AT + 60_000, /^изменено 21:06$/],
  ] as const)("that was edited says so and when, in words (%s, %d)", (locale, editedAt, words) => {
    const reading = { ...READING, locale, t: catalogs[locale].message };
    for (const grouped of [false, true]) {
      const drawn = draw({ editedAt }, { reading, grouped });
      const mark = drawn.find(({ attributes }) => attributes["class"] === "edited");
      expect(mark?.text).toMatch(words);
      const [, edited] = drawn.filter(({ name }) => name === "time");
      expect(edited?.attributes["datetime"]).toBe(new Date(editedAt).toISOString());
      expect(edited?.attributes["title"]).not.toBe("");
    }
    expect(draw({ editedAt: null }, { reading })).toEqual(draw({}, { reading }));
  });

  test("of emoji alone is drawn larger", () => {
    expect(draw({ text: "🎉 🎉" }).some(({ attributes }) => attributes["class"] === "text emoji")).toBe(true);
    expect(draw({ text: "🎉!" }).some(({ attributes }) => attributes["class"] === "text emoji")).toBe(false);
  });
});

describe("links in a message", () => {
  test("lead to what they show, and give nothing away", () => {
    const [link, ...more] = linksOf(
      draw({ text: "see https://example.org/?a=1&b=2 and javascript:alert(1)" }),
    );
    expect(link).toMatchObject({
      text: "https://example.org/?a=1&b=2",
      attributes: { href: "https://example.org/?a=1&b=2", rel: "noopener nofollow ugc" },
    });
    expect(more).toEqual([]);
  });

  test.each([
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "java\nscript:alert(1)",
  ])("are never made of %j", (text) => {
    expect(linksOf(draw({ text: "https://example.org" }))).toHaveLength(1);
    expect(linksOf(draw({ text }))).toEqual([]);
  });
});

describe("markup that somebody sends", () => {
  test(`is shown as text, in all of ${vectors.length} shapes`, () => {
    expect(vectors.length).toBeGreaterThan(500);
    for (const text of vectors) expectHarmless({ text });
  });

  test("is shown as text in a name, too", () => {
    for (const author of vectors) expectHarmless({ author });
  });

  test("stays inside the address in the slug of a room", () => {
    for (const room of vectors) {
      const drawn = draw({}, { reading: { ...READING, room } });
      expect(permalinkOf(drawn)).toBe(`/rooms/${room}/messages/7`);
      expect(drawn.map(({ name }) => name).join(" ")).toBe("li a span div a b a time div");
    }
  });

  test("would be found by this test if a message let it through", () => {
    const [, leaked] = tags("<div class=text><img src=x onerror=alert(1)></div>", "*");
    expect(leaked?.name).toBe("img");
    expect(leaked?.attributes).toHaveProperty("onerror");
    expect(() => expectExpected(leaked as Tag)).toThrow();
  });

  test("is shown as text, whatever else it is made of", () => {
    const pieces = fc.oneof(
      fc.constantFrom(
        ...PAYLOADS,
        ...BREAKOUTS,
        "<",
        ">",
        '"',
        "'",
        "&",
        "&lt;",
        "&#39;",
        "https://",
        "mailto:a@b",
      ),
      anyText,
    );
    const texts = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, texts, (text, author) => expectHarmless({ text, author })),
      { numRuns: 300 },
    );
  });
});

const READING = { room: "public", me: null, locale: "en", zone: "UTC", t: en.message };

function expectHarmless({ text = "hello", author = "ann" }: Partial<MessageView>): void {
  const drawn = draw({ text, author });
  for (const tag of drawn) expectExpected(tag);
  const links = linksOf(drawn);
  expect(
    drawn
      .map(({ name }) => name)
      .filter((name) => name !== "a")
      .join(" "),
  ).toBe("li span div b time div");
  expect(drawn.filter(({ name }) => name === "a")).toHaveLength(links.length + 3);
  for (const person of peopleOf(drawn))
    expect(person).toBe(`/users/${encodeURIComponent(author.toWellFormed())}`);
  for (const { attributes, text: shown } of links) {
    expect(attributes["href"]).toBe(shown);
    expect(LINK_PROTOCOLS).toContain(new URL(shown).protocol);
  }
  expect(textOf(drawn)).toBe(text);
  expect(find(drawn, "b").text).toBe(author);
}

function expectExpected({ name, attributes }: Tag): void {
  expect(EXPECTED).toContain(name);
  for (const attribute of Object.keys(attributes)) expect(ATTRIBUTES).toContain(attribute);
}

function draw(
  message: Partial<MessageView>,
  props: Partial<MessageProps> = {},
  delivery?: MessageProps["message"]["delivery"],
): Tag[] {
  const whole = {
    id: 7,
    seq: 7,
    rev: 7,
    author: "ann",
    avatar: null,
    text: "hello",
    createdAt: AT,
    ...message,
  };
  const shown = delivery ? { ...whole, delivery } : whole;
  return tags(renderToString(<Message reading={READING} grouped={false} {...props} message={shown} />), "*");
}

function find(drawn: Tag[], name: string): Tag {
  const found = drawn.find((tag) => tag.name === name);
  if (!found) throw new Error(`there is no <${name}>`);
  return found;
}

/** The links that people wrote, which the message's own link to itself is not. */
function linksOf(drawn: Tag[]): Tag[] {
  return drawn.filter(({ name, attributes }) => name === "a" && "rel" in attributes);
}

function permalinkOf(drawn: Tag[]): string | undefined {
  return drawn.find(({ name, attributes }) => name === "a" && "title" in attributes)?.attributes["href"];
}

/** Where the picture and the name of the author lead. */
function peopleOf(drawn: Tag[]): (string | undefined)[] {
  const ofAuthor = drawn.filter(({ attributes }) => /^(face|author)$/.test(attributes["class"] ?? ""));
  return ofAuthor.map(({ attributes }) => attributes["href"]);
}

function textOf(drawn: Tag[]): string | undefined {
  return drawn.find(({ name, attributes }) => name === "div" && attributes["class"]?.startsWith("text"))
    ?.text;
}
