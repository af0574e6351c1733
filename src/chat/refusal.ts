import type { RefusalCode } from "../shared/protocol.ts";

/** Thrown where a rule of the chat says no. The edge turns the code into a status or a frame; nothing else is shown. */
export class Refused extends Error {
  readonly code: RefusalCode;
  readonly retryAfterSeconds: number | null;

  constructor(code: RefusalCode, retryAfterSeconds: number | null = null) {
    super(code);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether the same attempt may succeed later. */
  get retryable(): boolean {
    return this.code === "rate_limited" || this.code === "unavailable";
  }
}
