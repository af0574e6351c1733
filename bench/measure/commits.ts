/** How many messages of one busy room are on stable storage a second, and what sharing commits is worth. */
import { native } from "../clients/protocols.ts";
import { enter, exchange, leave, type Room } from "../clients/room.ts";
import { copyOf, type Data } from "../data.ts";
import { comparison, type Section } from "../report.ts";
import { interleave, type Round } from "../rounds.ts";
import { commitEach, echochat, start } from "../servers.ts";

export const READERS = 10;
export const PEOPLE = 8;
const IN_FLIGHT = 16;

export async function measureCommits({ large, cookies }: Data): Promise<Section> {
  const each = await start(commitEach(echochat(copyOf(large))));
  const shared = await start(echochat(large));
  const ours = await enter(shared, native, cookies, READERS);
  const theirs = await enter(each, native, cookies, READERS);
  const round = async (room: Room): Promise<Round> => {
    const { messages, ...usage } = await exchange(room, PEOPLE, IN_FLIGHT);
    return { ...usage, units: messages };
  };
  const results = await interleave([
    { name: "a commit each", round: () => round(theirs) },
    { name: "a commit a turn", round: () => round(ours) },
  ]);
  for (const room of [ours, theirs]) leave(room);
  await Promise.all([shared.stop(), each.stop()]);
  return comparison({
    title: `Durable acknowledgements in one room: ${READERS} readers, ${PEOPLE} senders, ${IN_FLIGHT} in flight each`,
    units: "acknowledgements",
    results,
    against: [["a commit a turn", "a commit each"]],
  });
}
