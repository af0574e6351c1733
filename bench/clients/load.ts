/** As many requests as a server answers in a round, and a look at each answer. */
import { watch } from "../machine.ts";
import type { Round } from "../rounds.ts";
import type { Server } from "../servers.ts";
import { connect, requestFor, type Answer } from "./http.ts";

const CONNECTIONS = 16;
const ROUND_MS = 1_200;

export interface Target {
  server: Server;
  path: string;
  headers?: Record<string, string>;
  /** Throws when the answer is not the right one. */
  check(answer: Answer): void;
}

export async function load({ server, path, headers = {}, check }: Target): Promise<Round> {
  const request = requestFor(server, path, headers);
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(server)));
  let units = 0;
  const stop = watch(server.pid);
  const deadline = performance.now() + ROUND_MS;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < deadline) {
        check(await connection.get(request));
        units++;
      }
    }),
  );
  const usage = stop();
  for (const connection of connections) connection.close();
  return { ...usage, units };
}

export async function getOnce(
  server: Server,
  path: string,
  headers?: Record<string, string>,
): Promise<Answer> {
  const connection = await connect(server);
  const answer = await connection.get(requestFor(server, path, headers));
  connection.close();
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.head}`);
  return answer;
}

/** Every byte as it was the first time. */
export function sameAs(first: Answer): Target["check"] {
  return ({ status, body, head }) => {
    if (status !== 200 || !body.equals(first.body)) throw new Error(`another body than before: ${head}`);
  };
}
