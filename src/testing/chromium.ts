/** Which Chromium there is to test with. */
import { existsSync } from "node:fs";

/** The headless shell is the same engine without the desktop around it, which costs more than the pages do. */
const PLACES = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

export function findChromium(): string | null {
  const places = process.env["CHROMIUM"] ? [process.env["CHROMIUM"]] : PLACES;
  return places.find((path) => existsSync(path)) ?? null;
}
