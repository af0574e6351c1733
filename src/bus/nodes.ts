/** What nodes tell each other through Redis: on one channel for each shard of the rooms, and one for everything else. */
import type { Nodes, Word } from "../chat/ports.ts";
import type { Channel, Redis } from "./redis.ts";

export interface NodesDeps {
  redis: Pick<Redis, "isReachable" | "shards" | "publish" | "subscribe">;
  /** The name of the database's history: installations that share a Redis do not hear each other. */
  installation: string;
  /** Of this node. */
  name: string;
}

type Listener = Parameters<Nodes["listen"]>[0];

export async function openNodes({ redis, installation, name }: NodesDeps): Promise<Nodes> {
  const listeners: Listener[] = [];
  const channels = Array.from({ length: redis.shards }, (_, shard): Channel => ({
    shard,
    name: `${installation}:words`,
  }));

  /** The name of the node stands in front, so that its own words are thrown away unread. */
  function hear(text: string): void {
    const end = text.indexOf(" ");
    const node = text.slice(0, end);
    if (node === name) return;
    const word = JSON.parse(text.slice(end + 1)) as Word;
    for (const listener of listeners) listener(word, node);
  }

  await Promise.all(channels.map((channel) => redis.subscribe(channel, hear)));
  return {
    isReachable: redis.isReachable,
    listen: (listener) => void listeners.push(listener),
    tell(word) {
      const shard = "roomId" in word ? word.roomId % redis.shards : 0;
      redis.publish(channels[shard] as Channel, `${name} ${JSON.stringify(word)}`);
    },
  };
}
