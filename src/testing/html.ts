/** What a person without scripts sees and can use on a page. */

export interface Form {
  method: string;
  action: string;
  /** What the page itself has filled in: hidden fields, and values already there. */
  filled: Record<string, string>;
  /** The names of everything that can be filled in or pressed. */
  controls: ReadonlySet<string>;
}

export interface ShownMessage {
  /** The number of the message, from the anchor that its permalink leads to. */
  id: number;
  author: string;
  text: string;
}

export interface Tag {
  name: string;
  attributes: Record<string, string>;
  text: string;
}

/** The page's elements that match, in order, each with all the text inside it. */
export function tags(html: string, selector: string): Tag[] {
  const found: Tag[] = [];
  const open: Tag[] = [];
  new HTMLRewriter()
    .on(selector, {
      element(element) {
        const attributes = Object.fromEntries(
          [...element.attributes].map(([name, value]) => [name, unescape(value)]),
        );
        const tag = { name: element.tagName, attributes, text: "" };
        found.push(tag);
        if (element.selfClosing || VOID.has(element.tagName)) return;
        open.push(tag);
        element.onEndTag(() => void open.splice(open.indexOf(tag), 1));
      },
      text(chunk) {
        for (const tag of open) tag.text += chunk.text;
      },
    })
    .transform(html);
  for (const tag of found) tag.text = unescape(tag.text);
  return found;
}

export function forms(html: string): Form[] {
  const found: (Form & { controls: Set<string> })[] = [];
  let area: string | null = null;
  new HTMLRewriter()
    .on("form", {
      element(element) {
        const action = unescape(element.getAttribute("action") ?? "");
        const method = (element.getAttribute("method") ?? "get").toUpperCase();
        found.push({ method, action, filled: {}, controls: new Set() });
      },
    })
    .on("form [name]", {
      element(element) {
        const form = found.at(-1);
        const name = element.getAttribute("name");
        if (!form || !name) return;
        form.controls.add(name);
        // A button's value is sent only by the person who presses it.
        if (element.tagName === "input") form.filled[name] = unescape(element.getAttribute("value") ?? "");
        if (element.tagName !== "textarea") return;
        form.filled[name] = "";
        area = name;
        element.onEndTag(() => void (area = null));
      },
      text(chunk) {
        const form = found.at(-1);
        if (form && area !== null) form.filled[area] += chunk.text;
      },
    })
    .transform(html);
  for (const { filled } of found) for (const name in filled) filled[name] = unescape(filled[name] ?? "");
  return found;
}

/** The form of a page that is sent there. */
export function formTo(html: string, action: string): Form {
  const form = forms(html).find((each) => each.action === action);
  if (!form) throw new Error(`the page has no form to ${action}`);
  return form;
}

export function messagesOn(html: string): ShownMessage[] {
  const found: ShownMessage[] = [];
  const add = (part: "author" | "text") => ({
    text(chunk: { text: string }) {
      const message = found.at(-1);
      if (message) message[part] += chunk.text;
    },
  });
  new HTMLRewriter()
    .on("li.message", {
      element(element) {
        const id = Number(element.getAttribute("id")?.replace(/^m/, ""));
        found.push({ id, author: "", text: "" });
      },
    })
    .on("li.message .byline b", add("author"))
    .on("li.message .text", add("text"))
    .transform(html);
  return found.map(({ id, author, text }) => ({ id, author: unescape(author), text: unescape(text) }));
}

const VOID = new Set(["input", "img", "link", "meta", "br", "hr", "path", "circle"]);

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'" };

function unescape(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name: string) => ENTITIES[name] ?? "");
}
