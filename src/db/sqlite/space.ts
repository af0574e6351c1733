/** Keeps messages from filling the disk: logins, and whatever else people do, need some of it too. */
import { statfsSync } from "node:fs";

/** What messages leave free: some sixty logins. Bytes. */
const RESERVE = 1024 * 1024;

/** Throws when messages would take from the reserve. */
export function demandSpace(file: string): void {
  const { bavail, bsize } = statfsSync(file);
  if (bavail * bsize < RESERVE) throw new Error("the disk is nearly full");
}
