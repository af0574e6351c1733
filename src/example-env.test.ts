/** `example.env` against what is read. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { namesRead, readConfig } from "./config.ts";

const text = readFileSync(join(import.meta.dir, "..", "example.env"), "utf8");
const shown = [...text.matchAll(/^# ?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(
  ([, name = "", value = ""]) => [name, value] as const,
);

/** What has no default, so that an example stands there; and what is needed for it to be taken. */
const EXAMPLES: Record<string, Record<string, string>> = {
  NODE_ENV: {},
  DATABASE_URL: {},
  PUBLIC_BASE_URL: {},
  ALLOWED_HOSTS: {},
  RELAX_PASSWORDS: {},
  MEDIA_DIR: {},
  METRICS_PORT: {},
  REDIS_URL: { DATABASE_URL: "postgres://localhost/echochat" },
  ...Object.fromEntries(
    shown.filter(([name]) => name.startsWith("S3_")).map(([name]) => [name, { ...s3(), [name]: "" }]),
  ),
};

test("example.env has each variable that is read, once, and no other", () => {
  expect(shown.map(([name]) => name).toSorted()).toEqual([...namesRead()].toSorted());
});

test("example.env begins with what most set", () => {
  const first = ["NODE_ENV", "HOST", "PORT", "DATA_DIR", "PUBLIC_BASE_URL", "TRUSTED_PROXIES", "SECRET_KEY"];
  expect(shown.map(([name]) => name).slice(0, first.length)).toEqual(first);
});

test("example.env shows the defaults: taken as they are, alone and together, they change nothing", () => {
  const defaults = shown.filter(([name]) => !Object.hasOwn(EXAMPLES, name));
  expect(defaults.length).toBeGreaterThan(30);
  for (const [name, value] of defaults)
    expect([name, configOf({ [name]: value })]).toEqual([name, configOf({})]);
  expect(configOf(Object.fromEntries(defaults))).toEqual(configOf({}));
});

test("where there is no default, example.env shows something that is taken", () => {
  for (const [name, needed] of Object.entries(EXAMPLES).filter(([each]) => !each.startsWith("S3_"))) {
    const value = shown.find(([each]) => each === name)?.[1] ?? "";
    expect([name, configOf({ ...needed, [name]: value })]).not.toEqual([name, configOf(needed)]);
  }
  expect(configOf({ ...s3(), S3_ACCESS_KEY_ID: "an-id", S3_SECRET_ACCESS_KEY: "a-key" })).toMatchObject({
    s3: { bucket: "echochat" },
  });
});

function s3(): Record<string, string> {
  return Object.fromEntries(shown.filter(([name]) => name.startsWith("S3_")));
}

/** Networks compare by what they say. */
function configOf(env: Record<string, string>) {
  const config = readConfig(env);
  return { ...config, trustedProxies: config.trustedProxies.rules };
}
