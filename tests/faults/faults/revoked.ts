import { press } from "../../../src/testing/rooms.ts";
import type { Load } from "../load.ts";
import type { Fault } from "../round.ts";
import { OWNER, ROOMS } from "../template.ts";

/** So many more changes show whether something gets through. */
export const MORE = 10;

/** Somebody is put out of a room in the middle of the talk. */
export const revoked: Fault = {
  name: "membership revoked in mid-stream",
  missing: () => null,
  async during(load) {
    const { scene, claim, heads } = load;
    const answer = await press(scene.client(OWNER), ROOMS.den, "members/cleo/remove");
    claim(answer.status === 303, "the owner puts somebody out");
    const head = (await heads()).get(ROOMS.den) ?? 0;
    scene.log.write({ type: "shut", who: "cleo", heads: new Map([[ROOMS.den, head]]), lastLine: null });
    load.person("cleo").ask(ROOMS.den);
    await more(load, ROOMS.den, head + MORE);
  },
};

/** Somebody logs out elsewhere while their page is open. */
export const sessionOver: Fault = {
  name: "session ended in mid-stream",
  missing: () => null,
  async during(load) {
    const { scene, claim, heads } = load;
    const answer = await scene.client("dan").logout();
    claim(answer.status === 200, "somebody logs out");
    const [{ log }, known] = [scene, await heads()];
    // As a guest they may come back to the public room.
    log.write({ type: "shut", who: "dan", heads: known, lastLine: log.lastLine() });
    const den = known.get(ROOMS.den) ?? 0;
    log.write({ type: "shut", who: "dan", heads: new Map([[ROOMS.den, den]]), lastLine: null });
    load.person("dan").ask(ROOMS.den);
    await more(load, ROOMS.den, den + MORE);
    load.person("dan").ask(ROOMS.den);
  },
};

/** Waits until somebody has written. */
export async function more({ heads }: Pick<Load, "heads">, room: string, head: number): Promise<void> {
  while (((await heads()).get(room) ?? 0) < head) await Bun.sleep(20);
}
