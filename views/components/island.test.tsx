import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { renderToString } from "preact-render-to-string";
import { tags } from "../../src/testing/html.ts";
import { Island } from "./island.tsx";

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

describe("an island's data", () => {
  test.each([
    "</script>",
    "</SCRIPT >",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<!-- --!>",
    "-->",
    "]]>",
    "<\\/script>",
    "&lt;/script&gt;",
    "\u2028\u2029",
    "\\u003c/script>",
    "\ud83d",
  ])("with %j stays inside its script element, and is read as it was", (text) => {
    for (const data of [text, { [text]: text }, [[text]], { a: { b: text } }]) expectSame(data);
  });

  test("is read as it was, whatever it is", () => {
    const pieces = fc.oneof(fc.constantFrom("</script>", "<!--", "<script>", "\\", "<", "\u2028"), anyText);
    const texts = fc.array(pieces, { maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(texts, texts), texts), expectSame), {
      numRuns: 300,
    });
  });
});

test("an island names itself, and shows without a script what its script takes over", () => {
  const [island, script, holder, shown] = draw({});
  expect(island).toMatchObject({ name: "echo-island", attributes: { name: "pane" } });
  expect(script).toMatchObject({ name: "script", attributes: { type: "application/json" } });
  expect(holder?.name).toBe("div");
  expect(shown).toMatchObject({ name: "p", text: "hello" });
});

/** The data comes back, and the elements after it are where they were. */
function expectSame(data: unknown): void {
  const drawn = draw(data);
  expect(drawn.map(({ name }) => name)).toEqual(["echo-island", "script", "div", "p"]);
  expect(JSON.parse(drawn[1]?.raw ?? "")).toEqual(JSON.parse(JSON.stringify(data)));
}

function draw(data: unknown) {
  const html = renderToString(
    <Island name="pane" data={data}>
      <p>hello</p>
    </Island>,
  );
  // Browsers decode no entities inside a script element.
  let raw = "";
  new HTMLRewriter().on("script", { text: (chunk) => void (raw += chunk.text) }).transform(html);
  return tags(html, "*").map((tag) => (tag.name === "script" ? { ...tag, raw } : { ...tag, raw: "" }));
}
