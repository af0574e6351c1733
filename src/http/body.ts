/** Reading the fields of a request: forms and JSON objects alike, bounded, with nothing but text in the end. */
import { PICTURE_MAX_BYTES } from "../shared/limits.ts";
import { HttpRefusal } from "./refusals.ts";

/** No form of ours holds more text: a message is at most a few kilobytes. */
export const FIELDS_MAX_BYTES = 256 * 1024;

/** A picture, and the form around it. */
const FORM_MAX_BYTES = PICTURE_MAX_BYTES + 1024 * 1024;

export type Fields = ReadonlyMap<string, string>;

/** Fields, and the files that were sent with them, of each name the last. */
export interface Form {
  fields: Fields;
  files: ReadonlyMap<string, File>;
}

/**
 * The fields of a form, or of a JSON object whatever its content type says. A body that is broken, empty or not an
 * object has no fields. Refuses 413 for too large a body, and 400 for values that are not text.
 */
export async function readFields(request: Request): Promise<Fields> {
  const bytes = await readBounded(request, FIELDS_MAX_BYTES);
  return isMultipart(request) ? (await multipart(bytes, request)).fields : textFields(bytes, request);
}

/** As `readFields`, but a form in parts may carry files of the size of a picture. Refuses 408 when the signal is given. */
export async function readForm(request: Request, tooSlow: AbortSignal): Promise<Form> {
  const hasFiles = isMultipart(request);
  const bytes = await readBounded(request, hasFiles ? FORM_MAX_BYTES : FIELDS_MAX_BYTES, tooSlow);
  if (!hasFiles) return { fields: textFields(bytes, request), files: new Map() };
  const form = await multipart(bytes, request);
  const texts = [...form.fields].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  const isTooLarge = ({ size }: File) => size > PICTURE_MAX_BYTES;
  if (texts > FIELDS_MAX_BYTES || [...form.files.values()].some(isTooLarge)) throw tooLarge();
  return form;
}

export function isMultipart(request: Request): boolean {
  return typeOf(request) === "multipart/form-data";
}

function typeOf(request: Request): string | undefined {
  return request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
}

async function readBounded(
  request: Request,
  max: number,
  tooSlow?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > max) throw tooLarge();
  const reader = request.body?.getReader();
  const giveUp = () => void reader?.cancel();
  tooSlow?.addEventListener("abort", giveUp);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      size += read.value.byteLength;
      if (size > max) throw tooLarge();
      chunks.push(read.value);
    }
  } catch (error) {
    if (request.signal.aborted) throw new HttpRefusal(400, "Body ended early"); // whoever sent it is gone
    throw error;
  } finally {
    tooSlow?.removeEventListener("abort", giveUp);
    if (size > max) giveUp();
  }
  if (tooSlow?.aborted) throw new HttpRefusal(408, "Body took too long");
  return new Uint8Array(Buffer.concat(chunks));
}

function textFields(bytes: Uint8Array, request: Request): Fields {
  const text = utf8(bytes);
  if (text === null) throw new HttpRefusal(400, "Body is not valid UTF-8");
  return typeOf(request) === "application/x-www-form-urlencoded"
    ? new Map(new URLSearchParams(text))
    : jsonFields(text);
}

async function multipart(bytes: Uint8Array<ArrayBuffer>, request: Request): Promise<Form> {
  const fields = new Map<string, string>();
  const files = new Map<string, File>();
  const headers = { "content-type": request.headers.get("content-type") ?? "" };
  try {
    for (const [name, value] of await new Response(bytes, { headers }).formData()) {
      if (typeof value === "string") fields.set(name, value);
      // Without a name: a field for files that none was chosen in.
      else if (value.name) files.set(name, value);
    }
  } catch {
    return { fields: new Map(), files: new Map() }; // not multipart after all: no fields, like any broken body
  }
  return { fields, files };
}

function jsonFields(text: string): Fields {
  const fields = new Map<string, string>();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return fields;
  }
  if (body === null) return fields;
  if (typeof body !== "object" || Array.isArray(body))
    throw new HttpRefusal(400, "Body must be a JSON object");
  for (const [name, value] of Object.entries(body)) {
    if (value === null) continue;
    if (typeof value !== "string") throw new HttpRefusal(400, `'${name}' must be text`);
    fields.set(name, value);
  }
  return fields;
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function tooLarge(): HttpRefusal {
  return new HttpRefusal(413, "Request body too large");
}
