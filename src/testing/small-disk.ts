/** A disk of a few megabytes that a test fills up: a tmpfs, which only root may mount. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  path: string;
  /** Leaves no byte for anybody else. */
  fill(): void;
  empty(): void;
  remove(): void;
}

/** Throws why when it cannot be had. */
export function mountDisk(megabytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "echochat-disk-"));
  const mounted = run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path);
  if (mounted !== "") {
    rmSync(path, { recursive: true });
    throw new Error(mounted);
  }
  const filler = join(path, "filler");
  return {
    path,
    fill() {
      for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) while (grow(filler, size));
    },
    empty: () => rmSync(filler),
    remove() {
      run("umount", "--lazy", path);
      rmSync(path, { recursive: true });
    },
  };
}

function grow(file: string, size: number): boolean {
  try {
    writeFileSync(file, new Uint8Array(size), { flag: "a" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}

/** What it complained about; nothing when it worked. */
function run(...command: string[]): string {
  try {
    const { exitCode, stderr } = Bun.spawnSync(command);
    return exitCode === 0 ? "" : stderr.toString().trim();
  } catch (error) {
    return String(error);
  }
}
