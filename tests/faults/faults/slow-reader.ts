import type { Fault } from "../round.ts";
import { ATTIC_READER, ROOMS } from "../template.ts";

/** Far more than the server and the two kernels hold for one socket: some 16 MB. */
const MESSAGES = 400;
const LENGTH = 40_000;

/** A reader stops reading while much is written, then goes on: what they were sent ends, but has no gap. */
export const slowReader: Fault = {
  name: "slow reader",
  missing: () => null,
  place: () => ({ env: { CHAT_MESSAGE_MAX_LENGTH: String(LENGTH) } }),
  async during({ scene, flood, heads, person, claim }) {
    const { log, narrow } = scene;
    const before = log.lastLine();
    narrow.hold();
    await flood(ROOMS.attic, { count: MESSAGES, length: LENGTH });
    narrow.letGo();
    const isAnother = () =>
      log.entries.some(
        (entry) => entry.type === "asked" && entry.who === ATTIC_READER && entry.line > before,
      );
    const head = (await heads()).get(ROOMS.attic) ?? 0;
    while ((person(ATTIC_READER).held().get(ROOMS.attic) ?? head) < head && !isAnother()) await Bun.sleep(20);
    claim(isAnother(), "the server gives up a reader who is too slow");
  },
};
