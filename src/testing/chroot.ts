/** The one file that is shipped, alone: in a folder that is the whole world to it, with glibc and nothing else. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** As containers call it. */
const NOBODY = 65_534;

export interface Alone {
  /** A program to be started as any other: it runs the binary in there, as a user without rights. */
  program: string;
  /** Outside, and what the program takes for /data: all that this user may write. */
  dataDir: string;
  /** What is in there besides what the kernel shows, outside of /data. */
  files(): string[];
  remove(): void;
}

/** Throws why when it cannot be had. */
export function makeAlone(binary: string): Alone {
  if (process.getuid?.() !== 0) throw new Error("only root may change what the root of a process is");
  const folder = mkdtempSync(join(tmpdir(), "echochat-alone-"));
  const root = join(folder, "root");
  const dataDir = join(root, "data");
  for (const path of [dataDir, join(root, "proc")]) mkdirSync(path, { recursive: true });
  for (const library of librariesOf(binary)) copy(library, join(root, library));
  copy(binary, join(root, "echochat"));
  chownSync(dataDir, NOBODY, NOBODY);
  chmodSync(folder, 0o755);
  // The runtime reads there what memory it may have; every container and service has it.
  const mounted = Bun.spawnSync(["mount", "-t", "proc", "proc", join(root, "proc")]);
  if (mounted.exitCode !== 0) {
    rmSync(folder, { recursive: true });
    throw new Error(mounted.stderr.toString().trim());
  }
  const program = join(folder, "echochat");
  const inside = `chroot --userspec=${NOBODY}:${NOBODY} '${root}'`;
  writeFileSync(program, script(inside), { mode: 0o755 });
  return {
    program,
    dataDir,
    files: () =>
      Bun.spawnSync(["find", root, "-xdev", "-type", "f", "-not", "-path", `${dataDir}/*`])
        .stdout.toString()
        .trim()
        .split("\n")
        .map((path) => path.slice(root.length))
        .toSorted(),
    remove() {
      Bun.spawnSync(["umount", "--lazy", join(root, "proc")]);
      rmSync(folder, { recursive: true });
    },
  };
}

function script(inside: string): string {
  return `#!/bin/sh\nPATH=$PATH:/usr/sbin:/sbin DATA_DIR=/data exec ${inside} /echochat "$@"`;
}

function librariesOf(binary: string): string[] {
  const told = Bun.spawnSync(["ldd", binary]).stdout.toString();
  return [...told.matchAll(/(\/\S+)/g)].map(([path]) => path).filter((path) => existsSync(path));
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, 0o755);
}
