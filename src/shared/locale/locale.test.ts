import { describe, expect, test } from "bun:test";
import { catalogs, isLocale, LOCALES } from "./locale.ts";

describe("the catalogues", () => {
  const [reference, ...others] = LOCALES.map((locale) => ({ locale, texts: textsOf(catalogs[locale]) }));

  test("are English and Russian", () => {
    expect(LOCALES).toEqual(["en", "ru"]);
  });

  test.each(others)("say the same things in $locale as in English", ({ texts }) => {
    expect(reference?.locale).toBe("en");
    expect([...texts.keys()].toSorted()).toEqual([...(reference?.texts.keys() ?? [])].toSorted());
  });

  test.each(others)("have the same places for values in each text of $locale", ({ texts }) => {
    const different = [...texts].filter(
      ([path, text]) => placeholders(text) !== placeholders(reference?.texts.get(path)),
    );
    expect(different.map(([path]) => path)).toEqual([]);
  });

  test("have no empty text", () => {
    for (const { texts } of [reference, ...others].filter((catalogue) => catalogue !== undefined)) {
      expect([...texts].filter(([, text]) => text.trim() !== text || text === "")).toEqual([]);
    }
  });
});

test("nothing but the name of a catalogue is a language", () => {
  expect(LOCALES.filter(isLocale)).toEqual(LOCALES);
  for (const text of ["", "EN", "de", "en-US", "__proto__", "constructor", "toString", undefined]) {
    expect(isLocale(text)).toBe(false);
  }
});

/** Every text of a catalogue by its path, such as `account.faults.nameTaken`. */
function textsOf(catalogue: object, path: string[] = []): Map<string, string> {
  const texts = Object.entries(catalogue).flatMap(([key, value]: [string, unknown]) =>
    typeof value === "object" && value !== null
      ? [...textsOf(value, [...path, key])]
      : [[[...path, key].join("."), String(value)] as const],
  );
  return new Map(texts);
}

function placeholders(text = ""): string {
  return [...text.matchAll(/\{\w+\}/g)]
    .map(([placeholder]) => placeholder)
    .toSorted()
    .join();
}
