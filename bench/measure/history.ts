/** The history API: its newest page, and one a million messages further back. */
import { getOnce, load, sameAs } from "../clients/load.ts";
import type { Answer } from "../clients/http.ts";
import { DEPTH, PAGE, type Data } from "../data.ts";
import { comparison, type Section } from "../report.ts";
import { interleave } from "../rounds.ts";
import { echochat, start } from "../servers.ts";
import { likeAnswer } from "./like-answer.ts";

const NEWEST = `/api/chat/rooms/public/messages/?limit=${PAGE}`;

export async function measureHistory({ large }: Data): Promise<Section> {
  const server = await start(echochat(large));
  const newest = await getOnce(server, NEWEST);
  const [first] = messagesOf(newest);
  const deepPath = `${NEWEST}&before=${(first?.id ?? 0) - DEPTH}`;
  const deep = await getOnce(server, deepPath);
  if (messagesOf(deep)[0]?.seq !== (first?.seq ?? 0) - DEPTH - PAGE) throw new Error("not that deep");
  const bare = await start(await likeAnswer(newest));

  const results = await interleave([
    { name: "bare", round: () => load({ server: bare, path: "/", check: sameAs(newest) }) },
    { name: "newest", round: () => load({ server, path: NEWEST, check: sameAs(newest) }) },
    { name: "deep", round: () => load({ server, path: deepPath, check: sameAs(deep) }) },
  ]);
  await Promise.all([server.stop(), bare.stop()]);
  return comparison({
    title: `History API: ${PAGE} messages, ${newest.body.length} bytes of JSON; deep = ${DEPTH.toLocaleString("en")} messages back`,
    units: "requests",
    results,
    against: [
      ["newest", "bare"],
      ["deep", "newest"],
    ],
  });
}

/** Checks that they follow one another. */
function messagesOf({ body }: Answer): { id: number; seq: number }[] {
  const { messages } = JSON.parse(body.toString()) as { messages: { id: number; seq: number }[] };
  const gapless = messages.every(({ seq }, at) => seq === (messages[0]?.seq ?? 0) + at);
  if (messages.length !== PAGE || !gapless) throw new Error("not a whole page of history");
  return messages;
}
