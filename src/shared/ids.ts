/** A string or number that only its own maker can produce, so that a user id never passes for a room id. */
type Branded<T, Name extends string> = T & { readonly __brand: Name };

export type UserId = Branded<number, "UserId">;
export type RoomId = Branded<number, "RoomId">;
export type MessageId = Branded<number, "MessageId">;
export type InvitationId = Branded<number, "InvitationId">;
export type SessionId = Branded<string, "SessionId">;

/** The sender's own name for one message: made before the first attempt, kept across retries. */
export type ClientKey = Branded<string, "ClientKey">;

const CLIENT_KEY = /^[A-Za-z0-9_-]{8,64}$/;

/** Null when the text is not 8 to 64 characters of the base64url alphabet. */
export function clientKey(text: unknown): ClientKey | null {
  return typeof text === "string" && CLIENT_KEY.test(text) ? (text as ClientKey) : null;
}

/** Null when the text is not a whole number that fits a safe integer. */
export function messageId(text: string): MessageId | null {
  return rowId(text) as MessageId | null;
}

export function invitationId(text: string): InvitationId | null {
  return rowId(text) as InvitationId | null;
}

function rowId(text: string): number | null {
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}
