/** What tests say about an answer. */
import { expect } from "bun:test";
import type { Answer } from "./client.ts";

/** The whole answer: its status, and a body that is exactly this JSON with exactly this type. */
export function expectJson(answer: Answer, status: number, body: unknown): void {
  expect({ status: answer.status, body: answer.text && answer.json() }).toEqual({ status, body });
  expect(answer.headers.get("content-type")).toBe("application/json");
}

/** Refused in JSON: this status and a text to show, whatever its words. */
export function expectRefused(answer: Answer, status: number): void {
  expect({ status: answer.status, body: answer.text && answer.json() }).toEqual({
    status,
    body: { error: expect.any(String) },
  });
}

/** Headers that every answer carries, whatever it is. */
export function expectSecurityHeaders({ headers }: { headers: Headers }): void {
  expect(Object.fromEntries(SECURITY_HEADERS.map((name) => [name, headers.get(name)]))).toEqual({
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": expect.stringMatching(/^default-src '(none|self)'.*frame-ancestors 'none'/),
    server: null,
  });
  expect(headers.get("content-security-policy")).not.toMatch(/unsafe|\*|http:|data:/);
}

const SECURITY_HEADERS = [
  "x-content-type-options",
  "x-frame-options",
  "referrer-policy",
  "cross-origin-opener-policy",
  "content-security-policy",
  "server",
] as const;
