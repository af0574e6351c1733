/** The stylesheet and the scripts: named by their content, kept compressed in memory. */
import { encodings, type Encoded } from "./compress.ts";

export interface Assets {
  /** Paths of what pages link to: the script, the styles of a room as guests see it, and those of everything else. */
  js: string;
  css: string;
  moreCss: string;
  /** The asset at a path, or null. */
  at(path: string): Asset | null;
}

export interface Asset {
  type: string;
  body: Encoded;
}

const FOLDER = "/assets/";
const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** Best compression: paid once for each file. */
const QUALITY = 11;

/** `bundles` are texts by file name; those that pages link to begin with "main-" or "more-". */
export function createAssets(bundles: ReadonlyMap<string, string>): Assets {
  const table = new Map<string, Asset>();
  for (const [name, text] of bundles) {
    table.set(FOLDER + name, {
      type: TYPES[extension(name)] ?? "text/plain",
      body: encodings(text, QUALITY),
    });
  }
  const linked = (name: string, type: string) =>
    [...table.keys()].find((path) => path.startsWith(`${FOLDER}${name}-`) && extension(path) === type) ?? "";
  return {
    js: linked("main", "js"),
    css: linked("main", "css"),
    moreCss: linked("more", "css"),
    at: (path) => table.get(path) ?? null,
  };
}

function extension(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
