/** The room's page, as guests and as members get it. */
import { brotliDecompressSync } from "node:zlib";
import type { Answer } from "../clients/http.ts";
import { getOnce, load, sameAs } from "../clients/load.ts";
import { PAGE, type Data } from "../data.ts";
import { comparison, type Section } from "../report.ts";
import { interleave } from "../rounds.ts";
import { echochat, start } from "../servers.ts";
import { likeAnswer } from "./like-answer.ts";

const BROWSER = { "accept-encoding": "gzip, deflate, br", accept: "text/html", "accept-language": "en" };

export async function measurePages({ large, cookies }: Data): Promise<Section> {
  const server = await start(echochat(large));
  const page = await getOnce(server, "/", BROWSER);
  checkPage(page);
  const bare = await start(await likeAnswer(page));
  const [cookie = ""] = cookies;

  const results = await interleave([
    { name: "bare", round: () => load({ server: bare, path: "/", headers: BROWSER, check: sameAs(page) }) },
    { name: "guest", round: () => load({ server, path: "/", headers: BROWSER, check: sameAs(page) }) },
    {
      name: "member",
      round: () => load({ server, path: "/", headers: { ...BROWSER, cookie }, check: checkMemberPage }),
    },
  ]);
  await Promise.all([server.stop(), bare.stop()]);
  return comparison({
    title: `Room page: ${PAGE} messages, ${page.body.length} bytes of brotli; bare = an Elysia route with these bytes`,
    units: "requests",
    results,
    against: [
      ["guest", "bare"],
      ["member", "bare"],
    ],
  });
}

function checkPage({ status, head, body }: Answer): string {
  if (status !== 200 || !/\r\ncontent-encoding: br/i.test(head)) throw new Error(`not the page: ${head}`);
  const text = brotliDecompressSync(body).toString();
  const shown = text.match(/<li class="message[^>]* id="m\d+"/g)?.length;
  if (shown !== PAGE || !text.endsWith("</html>")) throw new Error(`the page shows ${shown} messages`);
  return text;
}

/** Differs each time, in its tokens. */
function checkMemberPage(answer: Answer): void {
  if (!checkPage(answer).includes('action="/logout"')) throw new Error("a guest's page");
}
