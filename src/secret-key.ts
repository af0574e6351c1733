/** The key that signs session cookies: the configured one, or one made at the first start and kept beside the data. */
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, SECRET_KEY_MIN_LENGTH, type Config } from "./config.ts";

const FILE = "secret.key";

/** Refuses a key file that a crash or a hand has cut short: whoever guesses the rest may sign in as anybody. */
export function loadSecretKey({ secretKey, dataDir }: Pick<Config, "secretKey" | "dataDir">): string {
  if (secretKey) return secretKey;
  const file = join(dataDir, FILE);
  if (!existsSync(file)) make(file);
  const kept = readFileSync(file, "utf8").trim();
  if (kept.length >= SECRET_KEY_MIN_LENGTH) return kept;
  throw new ConfigError(`${file} is damaged: restore it, or remove it, which signs everybody out`);
}

/** Whole or not at all, and not over the key of another process that starts at the same time. */
function make(file: string): void {
  const draft = `${file}.${process.pid}`;
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
  writeFileSync(draft, key, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft);
  }
}
