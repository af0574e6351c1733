import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer } from "../clients/http.ts";
import { baseline, type Program } from "../servers.ts";

/** Those that Bun adds to every answer by itself. */
const ADDED = new Set(["date", "content-length", "connection"]);

/** A bare route that gives the same answer: the same bytes under the same headers. */
export async function likeAnswer({ head, body }: Answer): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "echochat-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const pairs = head
    .split("\r\n")
    .slice(1)
    .map((line): [string, string] => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    });
  const headers = Object.fromEntries(pairs.filter(([name]) => !ADDED.has(name)));
  const [bodyFile, headersFile] = [join(folder, "body"), join(folder, "headers.json")];
  await Promise.all([Bun.write(bodyFile, body), Bun.write(headersFile, JSON.stringify(headers))]);
  return baseline("http", bodyFile, headersFile);
}
