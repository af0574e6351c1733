/** Addresses of people: what passes for one. Nothing is sent to it to find out. */
import { strip } from "../shared/text.ts";

export type EmailFault = { fault: "bad_address" };

const MAX_LENGTH = 254;

const MAILBOX = /^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(?:\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*$/i;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

/** As stored: hosts have no case, mailboxes may. */
export function normalEmail(raw: string): string {
  const email = strip(raw);
  const at = email.lastIndexOf("@");
  return at < 0 ? email : email.slice(0, at) + email.slice(at).toLowerCase();
}

export function emailFault(email: string): EmailFault | null {
  const at = email.lastIndexOf("@");
  const known = email.length <= MAX_LENGTH && MAILBOX.test(email.slice(0, Math.max(at, 0)));
  return known && isHost(email.slice(at + 1)) ? null : { fault: "bad_address" };
}

function isHost(host: string): boolean {
  const labels = host.split(".");
  const isName = labels.length > 1 && (labels.at(-1)?.length ?? 0) > 1;
  return host === "localhost" || (isName && labels.every((label) => LABEL.test(label)));
}
