/** Who is present on each node, in a hash of Redis for each. */
import type { Roster } from "../chat/ports.ts";
import type { PersonView } from "../shared/protocol.ts";
import type { RedisCommands } from "./redis.ts";

export interface RosterDeps {
  commands: RedisCommands;
  installation: string;
  /** Of this node. */
  name: string;
}

/** What a node that has died leaves behind is gone after this time. Seconds. */
const KEPT = 15;

/** The field that counts; all others are keys of presences. */
const STEP = "step";

export function createRoster({ commands, installation, name }: RosterDeps): Roster {
  const hashOf = (node: string) => `echochat:{0}:${installation}:presence:${node}`;
  const own = hashOf(name);

  return {
    async change({ step, came, went }) {
      const fields = Object.fromEntries(came.map(([key, person]) => [key, JSON.stringify(person)]));
      const answers = await Promise.all([
        commands.exists(own),
        commands.hset(own, { ...fields, [STEP]: step }),
        went.length > 0 ? commands.hdel(own, ...went) : 0,
        commands.expire(own, KEPT),
      ]);
      return answers[0] === 1;
    },

    async write(step, presences) {
      const fields = Object.fromEntries([...presences].map(([key, person]) => [key, JSON.stringify(person)]));
      await commands
        .multi()
        .del(own)
        .hset(own, { ...fields, [STEP]: step })
        .expire(own, KEPT)
        .exec();
    },

    async read(node) {
      const { [STEP]: step, ...fields } = await commands.hgetall(hashOf(node));
      if (step === undefined) return null;
      const entries = Object.entries(fields).map(
        ([key, person]) => [key, JSON.parse(person) as PersonView | null] as const,
      );
      return { step: Number(step), presences: new Map(entries) };
    },

    async remove() {
      await commands.del(own);
    },
  };
}
