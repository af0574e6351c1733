/** Messages at fixed times, whatever comes back: a server that falls behind makes nobody wait with the next. */
import { watch, type Usage } from "../machine.ts";
import { quantile } from "../rounds.ts";
import type { Delivered } from "./protocols.ts";
import type { Room } from "./room.ts";

export interface Pace {
  /** The next message that nobody has sent yet. */
  next(): [key: string, text: string];
  perSecond: number;
  milliseconds: number;
}

export interface Paced extends Usage {
  /** From the moment at which a message was due to its arrival, over all deliveries. Milliseconds. */
  p50: number;
  p99: number;
  /** By how much the load itself was late with its messages: what no server can make up for. Milliseconds. */
  late99: number;
  deliveries: number;
  /** In the order in which all received them. */
  delivered: readonly Delivered[];
}

export async function paced(
  { servers, audience, senders }: Room,
  { next, perSecond, milliseconds }: Pace,
): Promise<Paced> {
  const sent = new Map<string, string>();
  const due = new Map<string, number>();
  const [delays, lateness, acknowledged]: [number[], number[], Promise<void>[]] = [[], [], []];
  audience.listen(({ key }) => delays.push(performance.now() - (due.get(key) ?? Number.NaN)));

  const stop = watch(...servers.map(({ pid }) => pid));
  const startedAt = performance.now();
  const count = Math.round((perSecond * milliseconds) / 1000);
  for (let number = 0; number < count; number++) {
    const at = startedAt + (number * 1000) / perSecond;
    // A timer would be up to a millisecond late. What comes in is read meanwhile.
    while (performance.now() < at) await new Promise(setImmediate);
    const [key, text] = next();
    sent.set(key, text);
    due.set(key, at);
    lateness.push(performance.now() - at);
    const sender = senders[number % senders.length];
    if (sender) acknowledged.push(sender.send(key, text));
  }
  await Promise.all(acknowledged);
  await audience.settled(count);
  const usage = stop();
  const [p50, p99, late99] = [quantile(delays, 0.5), quantile(delays, 0.99), quantile(lateness, 0.99)];
  const delivered = audience.audit(sent);
  if (delays.length !== count * audience.readers) throw new Error("a delivery was not timed");
  return { ...usage, p50, p99, late99, deliveries: delays.length, delivered };
}
