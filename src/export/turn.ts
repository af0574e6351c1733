/** Lets signals in: reading a file waits for nothing. */
export async function aTurn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
