/** Which failures pass: of the connection, or of a transaction that has met another one. */

/** The connection is gone, or the server is going down or coming up. */
const LOST = /^(08|57P0[1-5]|25P0[34]|25006|53300|CONNECT|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET)/;

/** A key that another transaction has used meanwhile, or two that waited for each other: it has been rolled back. */
const CONFLICT = /^(23505|40001|40P01)$/;

export function isConnectionLost(error: unknown): boolean {
  return LOST.test(codeOf(error));
}

export function isConflict(error: unknown): boolean {
  return CONFLICT.test(codeOf(error));
}

/** Milliseconds: what is sent at once may still go by a connection that is just closing. */
const PAUSE = 20;

/** Only for what changes nothing: nobody knows how far the first try came. */
export async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    await Bun.sleep(PAUSE);
    return read();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
