/** How a page looks, and what is wrong with it. */
import { AxeBuilder } from "@axe-core/playwright";
import { catalogs } from "../../src/shared/locale/locale.ts";
import type { Person } from "../../src/testing/browser.ts";
import { onNodes } from "../../src/testing/installation.ts";

interface Look {
  locale: "en-US" | "ru-RU";
  scheme: "light" | "dark";
  width: number;
}

/**
 * Every language in every scheme at every width. Pages look the same wherever what they show is kept, so that on PostgreSQL
 * and Redis one look for each language stands for the others.
 */
export function everyLook(widths: readonly number[]): Look[] {
  const all = (["en-US", "ru-RU"] as const).flatMap((locale) =>
    (["light", "dark"] as const).flatMap((scheme) => widths.map((width) => ({ locale, scheme, width }))),
  );
  const [narrowest, widest] = [widths[0], widths.at(-1)];
  return !onNodes
    ? all
    : all.filter(({ locale, scheme, width }) =>
        locale === "en-US"
          ? scheme === "light" && width === widest
          : scheme === "dark" && width === narrowest,
      );
}

/** Everything that is wrong with the page as it is now. */
export async function faultsOf(
  person: Person,
  name: string,
  locale: string,
  scheme: string,
): Promise<string[]> {
  const { page } = person;
  await page.waitForLoadState();
  // The "legacy" way is the quick one: inside the page, which has no frames, and without opening another.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  // A dozen messages stand for all.
  axe.exclude(".message:nth-last-child(n+12)");
  const { violations } = await axe.analyze();
  const faults = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .map((node) => node.target.join(" "))
        .join(", ")
        .slice(0, 200)}`,
  );
  const looks = JSON.stringify(await appearance(person));
  if (looks !== JSON.stringify({ lang: locale.slice(0, 2), scheme })) faults.push(`looks like ${looks}`);
  const excess = await overflow(person);
  if (excess > 0) faults.push(`${excess} pixels too wide`);
  if (locale === "ru-RU") {
    const english = (await page.evaluate(visibleTexts)).filter((text) => wordsOf(text).some(isEnglish));
    if (english.length > 0) faults.push(`in English: ${english.join(", ")}`);
  }
  return faults.map((fault) => `${name}: ${fault}`);
}

/** Language, explicit theme, and the scheme that the paper really has. */
export function appearance({ page }: Person): Promise<{ lang: string; theme?: string; scheme: string }> {
  return page.evaluate(() => {
    const { lang, dataset } = document.documentElement;
    const paper = getComputedStyle(document.documentElement).backgroundColor;
    const scheme = Number(/oklch\(([\d.]+)/.exec(paper)?.[1]) > 0.5 ? "light" : "dark";
    return { lang, ...(dataset.theme && { theme: dataset.theme }), scheme };
  });
}

export async function overflow({ page }: Person): Promise<number> {
  await page.waitForLoadState();
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll("html, body, main, .scroller, .bar")];
    return Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth));
  });
}

export async function smallTargets({ page }: Person): Promise<string[]> {
  await page.waitForLoadState();
  return page.evaluate(() =>
    [
      ...document.querySelectorAll(
        "button, .button, summary, nav a, .brand, input:not([type=hidden]), textarea",
      ),
    ]
      .filter((target) => target.checkVisibility())
      .map((target) => ({ target, box: target.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 44 || box.height < 44)
      .map(({ target, box }) => `${target.className || target.tagName} ${box.width} x ${box.height}`),
  );
}

/** In the page: what is read or heard, apart from what is marked as another language. */
function visibleTexts(): string[] {
  const texts = [document.title];
  const { lang } = document.documentElement;
  for (const element of document.body.querySelectorAll("*")) {
    if (!element.checkVisibility() || element.closest("[lang]")?.getAttribute("lang") !== lang) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      texts.push(element.getAttribute(name) ?? "");
    }
    for (const node of element.childNodes) if (node.nodeType === 3) texts.push(node.nodeValue ?? "");
  }
  return texts.filter((text) => text.trim() !== "");
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z]{2,}/g) ?? [];
}

const RUSSIAN_TOO = new Set(wordsOf(JSON.stringify(Object.values(catalogs.ru))));
const ENGLISH = new Set(wordsOf(JSON.stringify(Object.values(catalogs.en))));

function isEnglish(word: string): boolean {
  return ENGLISH.has(word) && !RUSSIAN_TOO.has(word);
}
