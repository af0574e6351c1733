/** Where the command line has a password from: a pipe, a person at a terminal, or chance. */
import { secretText } from "../http/csrf.ts";

/** Some 119 bits. */
const GENERATED_LENGTH = 20;

const ENTER = new Set(["\r", "\n", "\u0004"]);
const INTERRUPT = "\u0003";
const ERASE = new Set(["\u007f", "\b"]);

export interface NewPassword {
  password: string;
  /** As typed the second time, where somebody types. */
  again: string;
}

export function generatePassword(): NewPassword {
  const password = secretText(GENERATED_LENGTH);
  return { password, again: password };
}

/** Null when the person gives up. */
export async function askPassword(): Promise<NewPassword | null> {
  if (!process.stdin.isTTY) {
    // What writes a line ends it; that end is not meant.
    const password = (await Bun.stdin.text()).replace(/\r?\n$/, "");
    return { password, again: password };
  }
  const { stdin } = process;
  // Before the first prompt: who types ahead is not seen either.
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  try {
    const password = await askHidden("Password: ");
    const again = password === null ? null : await askHidden("Again: ");
    return password === null || again === null ? null : { password, again };
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

/** Reads keys to the end of a line; what else came with them is left for the next question. */
function askHidden(prompt: string): Promise<string | null> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  return new Promise((resolve) => {
    let typed: string[] = [];
    const end = (answer: string | null, rest: string) => {
      stdin.off("data", hear);
      stdin.pause();
      if (rest !== "") stdin.unshift(rest);
      stderr.write("\n");
      resolve(answer);
    };
    const hear = (data: string) => {
      const keys = Array.from(data);
      for (const [at, key] of keys.entries()) {
        const rest = keys.slice(at + 1).join("");
        if (ENTER.has(key)) return end(typed.join(""), rest);
        if (key === INTERRUPT) return end(null, rest);
        typed = ERASE.has(key) ? typed.slice(0, -1) : [...typed, key];
      }
    };
    stdin.on("data", hear);
    stdin.resume();
  });
}
