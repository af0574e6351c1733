/** A link to a form that leads back to where the reader was. */
export function withNext(form: "/login" | "/register", path: string): string {
  return path === "/" ? form : `${form}?next=${encodeURIComponent(path)}`;
}

/** The page of somebody. */
export function userPath(name: string): string {
  return `/users/${encodeURIComponent(name.toWellFormed())}`;
}
