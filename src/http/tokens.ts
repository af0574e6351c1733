/** The value of the session cookie: a signed token that carries a session id and nothing else. */
import { jwt } from "@elysiajs/jwt";
import { SESSION_SECONDS } from "../accounts/sessions.ts";
import type { SessionId } from "../shared/ids.ts";

const AUDIENCE = "echochat";
const VERIFY = { algorithms: ["HS256"], audience: AUDIENCE };

/** Verified tokens kept, so that a page does not pay for the signature of its every request. */
const CACHE_SIZE = 10_000;

export interface Tokens {
  sign(session: SessionId): Promise<string>;
  /** Null for a token that is not ours: another algorithm, key or audience, or changed, or expired. */
  read(token: string): Promise<SessionId | null>;
}

export function createTokens(secretKey: string): Tokens {
  const { tokens } = jwt({ name: "tokens", secret: secretKey, alg: "HS256", aud: AUDIENCE }).decorator;
  const verified = new Map<string, SessionId>();

  return {
    sign: (session) => tokens.sign({ jti: session, exp: `${SESSION_SECONDS}s` }),

    // The session itself says whether it has expired: a kept entry only proves the signature.
    async read(token) {
      const kept = verified.get(token);
      if (kept) return kept;
      const payload = await tokens.verify(token, VERIFY);
      if (!payload || typeof payload.jti !== "string") return null;
      if (verified.size >= CACHE_SIZE) verified.delete(verified.keys().next().value as string);
      verified.set(token, payload.jti as SessionId);
      return payload.jti as SessionId;
    },
  };
}
