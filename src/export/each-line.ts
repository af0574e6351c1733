/** The lines of a file, decoded one after the other. */
import { join } from "node:path";
import { CopyRefused } from "../db/copy/refused.ts";
import { decode, Malformed, type Kind, type Line } from "./format.ts";
import { blocksOf } from "./lines.ts";
import { fileOf } from "./manifest.ts";

/** Whatever is wrong is told with the file and the number of the line. */
export async function eachLine<K extends Kind>(
  folder: string,
  kind: K,
  take: (line: Line<K>, number: number) => Promise<void> | undefined | void,
): Promise<void> {
  let number = 0;
  try {
    for await (const block of blocksOf(join(folder, fileOf(kind))))
      for (const text of block) {
        number += 1;
        if (text === null) throw new Malformed("it is not UTF-8, or longer than 4 MiB");
        const waiting = take(decode(kind, text), number);
        if (waiting) await waiting;
      }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new CopyRefused(`${fileOf(kind)}, line ${number}: ${error.message}.`, { cause: error });
  }
}
