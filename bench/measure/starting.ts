/** From nothing to listening, and the memory of a server that nobody uses. */
import type { Data } from "../data.ts";
import { residentMegabytes } from "../machine.ts";
import { list, type Section } from "../report.ts";
import { echochat, echochatBinary, inline, start, type Program } from "../servers.ts";

const STARTS = 7;
const IDLE_MS = 2_000;
const IDLES = 3;

const BARE = `
  import { Elysia } from "elysia";
  new Elysia().get("/", () => "ok").listen({ hostname: "127.0.0.1", port: Number(process.env.PORT) });
`;

export async function measureStart({ small, large }: Data): Promise<Section[]> {
  const binary = echochatBinary(small);
  const programs: [string, Program][] = [
    ["bare Elysia", inline(BARE)],
    ["from source", echochat(small)],
    ...(binary ? [["binary", binary] as [string, Program]] : []),
    ["from source, 1,000,000 messages", echochat(large)],
  ];
  const starts = programs.map(([name]): [string, number[]] => [name, []]);
  for (let round = 0; round < STARTS; round++) {
    for (const [at, [, program]] of programs.entries()) {
      const server = await start(program);
      starts[at]?.[1].push(server.startedIn);
      await server.stop();
    }
  }

  const idle = programs.slice(0, binary ? 3 : 2);
  const memory = idle.map(([name]): [string, number[]] => [name, []]);
  for (let round = 0; round < IDLES; round++) {
    for (const [at, [, program]] of idle.entries()) {
      const server = await start(program);
      await Bun.sleep(IDLE_MS);
      memory[at]?.[1].push(residentMegabytes(server.pid));
      await server.stop();
    }
  }
  return [
    list("Start to the first connection, with data from before", "ms", starts),
    list("Memory two seconds after the start", "MB", memory),
  ];
}
