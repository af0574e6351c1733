import { expect, test } from "bun:test";
import { agentOf } from "./agents.ts";

const CHROMIUM =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)";

test.each([
  [CHROMIUM, "Chrome", "Linux"],
  [CHROMIUM.replace("X11; Linux x86_64", "Linux; Android 15; Pixel 9"), "Chrome", "Android"],
  [
    `${CHROMIUM.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64")} Edg/140.0.0.0`,
    "Edge",
    "Windows",
  ],
  [`${CHROMIUM} OPR/120.0.0.0`, "Opera", "Linux"],
  [CHROMIUM.replace("Safari", "YaBrowser/25.8 Safari"), "Yandex Browser", "Linux"],
  ["Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Windows"],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${WEBKIT} Version/18.0 Safari/605.1.15`,
    "Safari",
    "macOS",
  ],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${WEBKIT} CriOS/140 Mobile`, "Chrome", "iOS"],
  ["curl/8.9.1", null, null],
  ["", null, null],
])("%s is recognised", (userAgent, browser, system) => {
  expect(agentOf(userAgent)).toEqual({ browser, system });
});
