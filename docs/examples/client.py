"""Shows each message of a room once and in order, sends each line typed once, whatever fails: see ../protocol.md.
COOKIE="sessionid=..." python3 client.py http://localhost:3000 public (../api.md logs in; without it: a guest)"""
import asyncio, json, os, random, secrets, sys, threading, types, websockets  # 10 or later
URL, ROOM = sys.argv[1:3]
HEADERS = "extra_headers" if int(websockets.__version__.split(".")[0]) < 14 else "additional_headers"
OPTIONS = {"origin": URL, "close_timeout": 1, HEADERS: {"Cookie": os.environ.get("COOKIE", "")}}
held = {"epoch": "", "rev": 0}  # every change up to this number of this history is here
fresh, shown, outbox = {}, {}, []  # by place: to show, and shown; lines to send
my = types.SimpleNamespace(socket=None, epoch="", floor=0, asking=True, tries=0, pause=None)
def send(**frame): my.socket and asyncio.gather(my.socket.send(json.dumps(frame)), return_exceptions=True)
def ask(): my.asking = True; send(type="resume", room=ROOM, **held)
def send_next(): outbox and send(type="send", room=ROOM, **outbox[0])  # with the same key, should it be lost
def say(text):
    outbox.append({"key": secrets.token_hex(16), "text": text})
    if len(outbox) == 1: send_next()
def receive(type, key=None, to=0, rev=0, changes=(), reason=None, **frame):
    if type == "welcome": my.epoch, my.tries = frame["epoch"], 0
    if frame.get("from", 0) > held["rev"]: return my.asking or ask()  # numbers are missing
    fresh.update({it["seq"]: it for it in changes if it["rev"] > held["rev"] and it["seq"] > my.floor})
    held["rev"] = max(held["rev"], to)
    if reason or "code" in frame: print(f"{type}: {reason or frame['code']}", file=sys.stderr)
    if reason == "gap": held["rev"] += 10_000; my.floor = max(my.floor, held["rev"])  # more are missed
    elif type == "reset": held["epoch"], held["rev"] = my.epoch, 0  # from the start, but nothing is shown twice
    if type in ("caught-up", "reset"): my.asking = False
    if not my.asking and (type == "reset" or rev > held["rev"]): ask()
    if type == "head": my.loop.call_later(2, lambda: frame["head"] > held["rev"] and not my.asking and ask())
    if frame.get("retryable"): my.loop.call_later(frame.get("retryAfter", 2), send_next if key else ask)
    elif outbox and key == outbox[0]["key"]: outbox.pop(0); send_next()  # acknowledged or refused
    if type == "bye": my.pause = frame["after"] / 1000
    if my.asking: return  # and show all at its end: what has been edited comes behind later messages
    for seq, it in sorted(fresh.items()):
        now = "(removed)" if it["deletedAt"] else f"{it['author']}: {it['text']}"
        if now != shown.get(seq, "(removed)"): print(f"#{seq} {'now ' if seq in shown else ''}{now}", flush=True)
        shown[seq] = now
    fresh.clear()
async def run():
    my.loop = asyncio.get_running_loop()
    read = lambda: [my.loop.call_soon_threadsafe(say, line.rstrip("\n")) for line in sys.stdin]
    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            async with websockets.connect(URL.replace("http", "ws", 1) + "/ws/", **OPTIONS) as my.socket:
                send(type="hello", rooms=[{"room": ROOM, **held}]); send_next()
                while True:  # something is heard every 10 s, or the connection is dead
                    receive(**json.loads(await asyncio.wait_for(my.socket.recv(), 30)))
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error: print(error, file=sys.stderr)
        if getattr(my.socket, "close_code", None) == 4401: sys.exit("the session is over")
        await asyncio.sleep(my.pause or random.random() * min(30, 0.5 * 2**my.tries))  # full jitter
        my.asking, my.tries, my.pause = True, min(my.tries + 1, 6), None
asyncio.run(run())
