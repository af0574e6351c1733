/** The first Python 3 of this machine that has the package `websockets`; a distribution's own may be behind another one. */
export function findPython(): string | undefined {
  const named = process.env.PYTHON;
  return (named ? [named] : ["python3", "/usr/bin/python3"]).find((path) => {
    if (!Bun.which(path)) return false;
    return Bun.spawnSync([path, "-c", "import websockets, asyncio; asyncio.to_thread"]).exitCode === 0;
  });
}
