/** The cookies of this server, read and written. Names and lifetimes of the first two are known to existing clients. */
import { SESSION_SECONDS } from "../accounts/sessions.ts";

const CSRF_SECONDS = 364 * 24 * 60 * 60;
const PREFERENCE_SECONDS = 364 * 24 * 60 * 60;

/** Under TLS the name's prefix makes browsers refuse a cookie that another host or a plain page has set. */
export function sessionCookieName(secure: boolean): string {
  return secure ? "__Host-sessionid" : "sessionid";
}

export function readCookie(request: Request, name: string): string | null {
  const header = request.headers.get("cookie");
  if (!header) return null;
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return unquote(pair.slice(at + 1).trim());
  }
  return null;
}

export function sessionCookie(token: string, secure: boolean): string {
  return cookie(sessionCookieName(secure), token, SESSION_SECONDS, secure, "; HttpOnly");
}

export function clearedSessionCookie(secure: boolean): string {
  return cookie(sessionCookieName(secure), '""', 0, secure, "; HttpOnly");
}

/** Readable by scripts: existing clients send its value back in a header. */
export function csrfCookie(secret: string, secure: boolean): string {
  return cookie("csrftoken", secret, CSRF_SECONDS, secure);
}

export function preferenceCookie(name: "locale" | "theme", value: string, secure: boolean): string {
  return cookie(name, value, PREFERENCE_SECONDS, secure, "; HttpOnly");
}

function cookie(name: string, value: string, seconds: number, secure: boolean, more = ""): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure ? "; Secure" : ""}${more}`;
}

function unquote(value: string): string {
  return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
