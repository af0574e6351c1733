/** Every way in which a request is refused, and its status. */
import type { Refused } from "../chat/refusal.ts";
import type { RefusalCode } from "../shared/protocol.ts";

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 414 | 422 | 429 | 503;

/** Thrown by the edge itself. The text is what API clients read; pages say it in the reader's language. */
export class HttpRefusal extends Error {
  readonly status: RefusalStatus;
  readonly headers: Record<string, string>;
  /** The rule of the chat that said no, if it was one: pages then give its reason. */
  readonly code: RefusalCode | null;

  constructor(
    status: RefusalStatus,
    message: string,
    headers: Record<string, string> = {},
    code: RefusalCode | null = null,
  ) {
    super(message);
    this.status = status;
    this.headers = headers;
    this.code = code;
  }
}

const STATUS: Record<RefusalCode, RefusalStatus> = {
  bad_request: 400,
  blank: 422,
  too_long: 422,
  bad_characters: 422,
  login_required: 401,
  forbidden: 403,
  muted: 403,
  room_closed: 403,
  not_found: 404,
  rate_limited: 429,
  key_reused: 409,
  slug_taken: 409,
  bad_slug: 422,
  bad_name: 422,
  owner_stays: 409,
  not_confirmed: 422,
  invitation_over: 404,
  unavailable: 503,
};

const API_TEXT: Record<RefusalCode, string> = {
  bad_request: "Bad request",
  blank: "Message is blank",
  too_long: "message_too_long",
  bad_characters: "Message contains characters that cannot be stored",
  login_required: "Требуется авторизация",
  not_found: "Not found",
  forbidden: "Forbidden",
  muted: "muted",
  room_closed: "room_closed",
  rate_limited: "rate_limited",
  key_reused: "Key already used for another message",
  slug_taken: "Room slug is already taken",
  bad_slug: "Invalid room slug",
  bad_name: "Invalid name or topic",
  owner_stays: "The owner cannot leave",
  not_confirmed: "Not confirmed",
  invitation_over: "Not found",
  unavailable: "Temporarily unavailable",
};

export function toHttp(refused: Refused): HttpRefusal {
  const { code, retryAfterSeconds } = refused;
  return new HttpRefusal(STATUS[code], API_TEXT[code], retryAfter(retryAfterSeconds), code);
}

export function retryAfter(seconds: number | null): Record<string, string> {
  return seconds === null ? {} : { "retry-after": String(seconds) };
}
