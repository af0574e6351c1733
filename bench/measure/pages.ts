/** The room's page, as guests and as members get it. */
import { brotliDecompressSync } from "node:zlib";
import type { Answer } from "../clients/http.ts";
import { getOnce, load, sameAs } from "../clients/load.ts";
import { native } from "../clients/protocols.ts";
import { newMessage } from "../clients/room.ts";
import { openSender } from "../clients/sender.ts";
import { PAGE, type Data } from "../data.ts";
import { comparison, type Section } from "../report.ts";
import { interleave, type Round } from "../rounds.ts";
import { echochat, start, type Server } from "../servers.ts";
import { likeAnswer } from "./like-answer.ts";

const MESSAGE = /<li class="message[^>]* id="m(\d+)"/g;
const BROWSER = { "accept-encoding": "gzip, deflate, br", accept: "text/html", "accept-language": "en" };

/** A second, in the room whose page it is. */
const WRITES = 10;

export async function measurePages({ large, cookies }: Data): Promise<Section[]> {
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
  const stillAndBusy = await interleave([
    {
      name: "nobody writes",
      round: () => load({ server, path: "/", headers: BROWSER, check: checkNewest() }),
    },
    { name: "10 writes a second", round: () => whileWriting(server, cookie) },
  ]);
  await Promise.all([server.stop(), bare.stop()]);
  const still = comparison({
    title: `Room page: ${PAGE} messages, ${page.body.length} bytes of brotli; bare = an Elysia route with these bytes`,
    units: "requests",
    results,
    against: [
      ["guest", "bare"],
      ["member", "bare"],
    ],
  });
  const busy = comparison({
    title: `A guest's room page while somebody writes ${WRITES} messages a second there`,
    units: "requests",
    results: stillAndBusy,
    against: [["10 writes a second", "nobody writes"]],
  });
  return [still, busy];
}

async function whileWriting(server: Server, cookie: string): Promise<Round> {
  const sender = await openSender(server, native, cookie);
  const acknowledged: Promise<void>[] = [];
  const writing = setInterval(() => acknowledged.push(sender.send(...newMessage())), 1000 / WRITES);
  const round = await load({ server, path: "/", headers: BROWSER, check: checkNewest() });
  clearInterval(writing);
  await Promise.all(acknowledged);
  sender.close();
  return round;
}

/** Every byte as before, or another whole page with newer messages. */
function checkNewest(): (answer: Answer) => void {
  let [known, newest] = [Buffer.alloc(0), 0];
  return (answer) => {
    if (answer.status === 200 && answer.body.equals(known)) return;
    const shown = idsOf(checkPage(answer));
    const last = shown.at(-1) ?? 0;
    if (last <= newest) throw new Error(`message ${last} is shown as the newest after ${newest}`);
    [known, newest] = [Buffer.from(answer.body), last];
  };
}

function idsOf(page: string): number[] {
  return Array.from(page.matchAll(MESSAGE), ([, id]) => Number(id));
}

function checkPage({ status, head, body }: Answer): string {
  if (status !== 200 || !/\r\ncontent-encoding: br/i.test(head)) throw new Error(`not the page: ${head}`);
  const text = brotliDecompressSync(body).toString();
  const shown = idsOf(text).length;
  if (shown !== PAGE || !text.endsWith("</html>")) throw new Error(`the page shows ${shown} messages`);
  return text;
}

/** Differs each time, in its tokens. */
function checkMemberPage(answer: Answer): void {
  if (!checkPage(answer).includes('action="/logout"')) throw new Error("a guest's page");
}
