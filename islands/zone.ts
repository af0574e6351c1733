/** The reader's time zone: told to the server once, so that whatever it draws from then on has the right times. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const COOKIE = `tz=${encodeURIComponent(ZONE)}`;
const YEAR = 365 * 24 * 60 * 60;

/** True when the server did not know the zone, so that what it has drawn may be wrong. */
export function tellZone(): boolean {
  if (document.cookie.split("; ").includes(COOKIE)) return false;
  document.cookie = `${COOKIE}; Path=/; Max-Age=${YEAR}; SameSite=Lax`;
  return true;
}
