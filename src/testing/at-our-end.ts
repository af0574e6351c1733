/** What is put away when the tests of this process are over, whichever way they end. */

const guards: unknown[] = [];

/** Done by a shell of its own as soon as this process is gone, however it ends: `bun test` tells nobody. `$0` is the folder. */
export function atOurEnd(script: string, folder: string): void {
  const waiting = `trap "" INT TERM HUP; while read -r line; do :; done; ${script}`;
  const guard = Bun.spawn(["sh", "-c", waiting, folder], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  guard.unref();
  guards.push(guard);
}
