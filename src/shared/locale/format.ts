/** Putting values into texts. Apart from the catalogues, so that the islands carry no language they do not show. */

export type PluralForms = Readonly<Record<"one" | "few" | "many" | "other", string>>;

/** Replaces `{name}` by the value of that name. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** `1,234` or `1 234`, as the language writes it. */
export function number(locale: string, n: number): string {
  return new Intl.NumberFormat(locale).format(n);
}

export function plural(locale: string, forms: PluralForms, n: number): string {
  const form = new Intl.PluralRules(locale).select(n);
  return fill(forms[form as keyof PluralForms] ?? forms.other, {
    n: new Intl.NumberFormat(locale).format(n),
  });
}
