import type { Registration } from "../accounts/accounts.ts";
import type { Fields } from "./body.ts";

/** The fields of a registration, whether a page's form or an API client sent them. */
export function registrationOf(fields: Fields): Registration {
  const text = (name: keyof Registration) => fields.get(name) ?? "";
  return { username: text("username"), password1: text("password1"), password2: text("password2") };
}
