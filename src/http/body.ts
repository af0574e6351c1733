/** Reading the fields of a request: forms and JSON objects alike, bounded, with nothing but text in the end. */
import { HttpRefusal } from "./refusals.ts";

/** No form of ours holds more: a message is at most a few kilobytes. */
const FIELDS_MAX_BYTES = 256 * 1024;

export type Fields = ReadonlyMap<string, string>;

/**
 * The fields of a form, or of a JSON object whatever its content type says. A body that is broken, empty or not an
 * object has no fields. Refuses 413 for too large a body, and 400 for values that are not text.
 */
export async function readFields(request: Request): Promise<Fields> {
  const bytes = await readBounded(request);
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === "multipart/form-data") return multipart(bytes, request.headers.get("content-type") ?? "");
  const text = utf8(bytes);
  if (text === null) throw new HttpRefusal(400, "Body is not valid UTF-8");
  return type === "application/x-www-form-urlencoded" ? new Map(new URLSearchParams(text)) : jsonFields(text);
}

async function readBounded(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > FIELDS_MAX_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > FIELDS_MAX_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

async function multipart(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Fields> {
  const fields = new Map<string, string>();
  try {
    const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
    for (const [name, value] of form) if (typeof value === "string") fields.set(name, value);
  } catch {
    return new Map(); // not multipart after all: no fields, like any broken body
  }
  return fields;
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
