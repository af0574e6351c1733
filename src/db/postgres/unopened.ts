/** Why a database cannot be used, in one line for whoever has named it. */

/** The message begins with the server's name; nothing of it is a secret. */
export class Unopened extends Error {
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(`${placeOf(url)} ${reason}`, options);
  }
}

/** Mistakes of ours stay what they are. `more` is said after what the server says. */
export function unopened(error: unknown, url: string, more = ""): unknown {
  if (error instanceof Unopened || !(error instanceof Error)) return error;
  const told = rootOf(error);
  const code = "code" in told ? String(told.code) : "";
  const reason = REASONS.find(([codes]) => codes.test(code))?.[1];
  if (reason) return new Unopened(url, reason, { cause: error });
  return code === "" ? error : new Unopened(url, `says: ${told.message}${more}`, { cause: error });
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/NOTFOUND|EAI_/, "is no host that is known here"],
  [/ECONNREFUSED/, "has nothing that listens"],
  [/CONNECT_TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, "does not answer"],
  [/CONNECTION_|ECONNRESET|EPIPE/, "hangs up: it is not PostgreSQL, or has no TLS where sslmode asks for it"],
];

/** What the driver said, below what libraries say of it. */
function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}

function placeOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname || "localhost"}:${port || 5432}`;
}
