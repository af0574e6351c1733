/** How pages reach the server: sockets that may be cut or fall silent at any moment, and requests that may be lost. */
import { Refused } from "../../src/chat/refusal.ts";
import type { SessionId } from "../../src/shared/ids.ts";
import type { Ledger } from "./ledger.ts";
import { createPipe, type Item, type Pipe, type Weather } from "./pipe.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Server } from "./server.ts";
import type { End } from "./sockets.ts";
import { Trouble } from "./store.ts";

export interface Network {
  connect(caller: Caller, session: SessionId | null, events: SocketEvents): PageSocket;
  /** Fails when the answer does not come. */
  request<T>(
    run: (server: Server) => Promise<T>,
    done: (answer: T) => unknown,
    failed: (error: unknown) => unknown,
  ): void;
  /** The connections that are open now. */
  wires(): readonly Wire[];
  /** Requests that are not answered yet. */
  requests(): number;
}

export interface Caller {
  isAsleep(): boolean;
}

export interface SocketEvents {
  opened(): void;
  received(text: string): void;
  closed(code: number): void;
}

export interface PageSocket {
  send(text: string): void;
  close(code: number): void;
  /** Takes what has come meanwhile. */
  wake(): void;
}

export interface Wire {
  /** What is on its way is lost; both ends hear of it, each in its time. */
  cut(): void;
  /** The same, but nobody is told: the server finds out by its pings, the page by itself. */
  silence(): void;
}

export interface NetworkDeps {
  scheduler: Scheduler;
  random: Random;
  weather: Weather;
  ledger: Ledger;
  server: () => Server | null;
}

/** The server drops a socket that has not answered its ping. Milliseconds. */
const PING_PATIENCE = 32_000;

/** Whoever is cut off hears of it within this time, unless asleep. Milliseconds. */
const CUT_PATIENCE = 3_000;

const REQUEST_PATIENCE = 10_000;

export function createNetwork({ scheduler, random, weather, ledger, server }: NetworkDeps): Network {
  const wires = new Set<Wire>();
  let requests = 0;

  function connect(caller: Caller, session: SessionId | null, events: SocketEvents): PageSocket {
    let end: End | null = null;
    let isOver = false;
    const tools = { scheduler, random, weather };
    const drained = () => end?.drained();
    const down: Pipe = createPipe(tools, { receive: take, drained, isAsleep: caller.isAsleep });
    const up: Pipe = createPipe(tools, { receive: arrive });

    /** At the page's end. */
    function take(item: Item): void {
      if (isOver) return;
      if (item.kind === "open") return events.opened();
      if (item.kind === "frame") return events.received(item.text);
      isOver = true;
      wires.delete(wire);
      up.cut();
      events.closed(item.code);
    }

    /** At the server's end. */
    function arrive(item: Item): void {
      if (item.kind === "frame") return end?.received(item.text);
      if (item.kind === "close") {
        wires.delete(wire);
        return end?.lost(item.code);
      }
      const to = server();
      if (!to || to.isStopping()) return down.push({ kind: "close", code: 1006 });
      down.push({ kind: "open" });
      wires.add(wire);
      end = to.accept(session, down);
    }

    function silence(): void {
      wires.delete(wire);
      for (const pipe of [up, down]) pipe.cut();
      scheduler.after(random.between(0, PING_PATIENCE), () => end?.lost(1006));
    }

    function hear(delay: number): void {
      scheduler.after(delay, () => {
        if (caller.isAsleep()) hear(1_000);
        else take({ kind: "close", code: 1006 });
      });
    }

    const wire: Wire = {
      cut() {
        silence();
        hear(random.between(0, CUT_PATIENCE));
      },
      silence,
    };
    up.push({ kind: "open" });
    return {
      send: (text) => up.push({ kind: "frame", text }),
      wake: down.wake,
      close(code) {
        isOver = true;
        up.push({ kind: "close", code });
        down.cut();
      },
    };
  }

  function request<T>(
    run: (server: Server) => Promise<T>,
    done: (answer: T) => unknown,
    failed: (error: unknown) => unknown,
  ): void {
    requests++;
    let isSettled = false;
    function settle(task: () => unknown): void {
      if (isSettled) return;
      isSettled = true;
      requests--;
      task();
    }
    function way(): number {
      const stall = random.chance(weather.stalls) ? random.between(0, weather.stallMax) : 0;
      return 2 * weather.distance + stall;
    }
    const answer = (task: () => unknown) => scheduler.after(way(), () => settle(task));
    scheduler.after(REQUEST_PATIENCE, () => settle(() => failed(new Trouble("no answer"))));
    scheduler.after(way(), () => {
      const to = server();
      if (!to) return answer(() => failed(new Trouble("nobody listens")));
      run(to).then(
        (answered) => answer(() => done(answered)),
        (error: unknown) => {
          if (!(error instanceof Refused) && !(error instanceof Trouble)) ledger.broke("I13", String(error));
          answer(() => failed(error));
        },
      );
    });
  }

  return { connect, request, wires: () => [...wires], requests: () => requests };
}
