// Shows each message of a room once and in order, sends each line typed once, whatever fails: see ../protocol.md.
// COOKIE="sessionid=..." bun client.js http://localhost:3000 public   (../api.md logs in; without it: a guest)
import { createInterface } from "node:readline";
const [[url, room], cookie] = [process.argv.slice(2), process.env.COOKIE ?? ""];
const held = { epoch: "", rev: 0 }; // every change up to this number of this history is here
const [fresh, shown, outbox] = [new Map(), new Map(), []]; // by place: to show, and shown; lines to send
let [socket, epoch, floor, isAsking, tries, pause, silence] = [null, "", 0, true, 0, null, null];
const send = (frame) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
const ask = () => [(isAsking = true), send({ type: "resume", room, ...held })];
const next = () => outbox.length > 0 && send({ type: "send", room, ...outbox[0] }); // again with the same key
function receive({ type, key, from = 0, to = 0, rev = 0, changes = [], reason, ...frame }) {
  silence.refresh();
  if (type === "welcome") [epoch, tries] = [frame.epoch, 0];
  if (from > held.rev) return isAsking || ask(); // numbers are missing
  for (const it of changes) if (it.rev > held.rev && it.seq > floor) fresh.set(it.seq, it);
  held.rev = Math.max(held.rev, to);
  if (reason ?? frame.code) console.error(`${type}: ${reason ?? frame.code}`);
  if (reason === "gap")
    floor = Math.max(floor, (held.rev += 10_000)); // more are missed: so many are left out
  else if (type === "reset") [held.epoch, held.rev] = [epoch, 0]; // from the start, but nothing is shown twice
  if (type === "caught-up" || type === "reset") isAsking = false;
  if (!isAsking && (type === "reset" || rev > held.rev)) ask();
  if (type === "head") setTimeout(() => frame.head > held.rev && !isAsking && ask(), 2_000);
  if (frame.retryable) setTimeout(key ? next : ask, 1_000 * (frame.retryAfter ?? 2));
  else if (key && key === outbox[0]?.key) next(outbox.shift()); // acknowledged or refused
  if (type === "bye") pause = frame.after;
  if (isAsking) return; // and show all at its end: what has been edited comes behind later messages
  for (const { seq, author, text, deletedAt } of [...fresh.values()].toSorted((a, b) => a.seq - b.seq)) {
    const is = deletedAt ? "(removed)" : `${author}: ${text}`;
    if (is !== (shown.get(seq) ?? "(removed)")) console.log(`#${seq} ${shown.has(seq) ? "now " : ""}${is}`);
    shown.set(seq, is);
  }
  fresh.clear();
}
function lost({ code } = {}) {
  if (code === 4401) throw new Error("the session is over");
  clearTimeout(silence);
  setTimeout(connect, pause ?? Math.random() * Math.min(30_000, 500 * 2 ** tries++));
  [isAsking, pause, socket.onclose] = [true, null, null];
  socket.close();
}
function connect() {
  socket = new WebSocket(`${url.replace("http", "ws")}/ws/`, { headers: { origin: url, cookie } });
  socket.addEventListener("open", () => [send({ type: "hello", rooms: [{ room, ...held }] }), next()]);
  [socket.onclose, socket.onmessage] = [lost, ({ data }) => receive(JSON.parse(data))];
  silence = setTimeout(lost, 30_000); // something is heard every 10 s, or the connection is dead
}
const say = (text) => outbox.push({ key: crypto.randomUUID(), text }) === 1 && next();
createInterface({ input: process.stdin }).on("line", say);
connect();
