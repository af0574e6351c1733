/** Whether this names a database of PostgreSQL, in a form that the driver takes. */
export function isPostgres(text: string): boolean {
  const url = URL.parse(text);
  try {
    // The driver decodes both, and a stray percent sign would end it.
    decodeURIComponent(`${url?.username}${url?.password}`);
  } catch {
    return false;
  }
  return url !== null && /^postgres(ql)?:$/.test(url.protocol);
}
