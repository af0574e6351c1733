/** Two people who talk through an example client each, and a guest who reads, while the server is killed and started again. */
import { expect } from "bun:test";
import { member, stranger } from "../../src/testing/client.ts";
import { freePort } from "../../src/testing/postgres.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

interface Program {
  /** What it has printed so far. */
  lines(): string[];
  type(text: string): void;
  errors(): string;
  stop(): Promise<void>;
}

const LINES_EACH = 60;
const PATIENCE_MS = 60_000;

/** Fails unless everyone was shown every line once and in the same order, as it is stored. */
export async function talkThroughKills(command: readonly string[]): Promise<void> {
  const dataDir = makeDataDir();
  let server = await startProcess(dataDir, { PORT: String(await freePort()) });
  const running: { stop(): Promise<void> }[] = [];
  try {
    const ann = await member(server, "ann");
    const people = [ann, await member(server, "bob"), stranger(server)];
    const programs = people.map((person) => start([...command, server.url, "public"], person.cookieHeader()));
    const writers = programs.slice(0, 2);
    running.push(...programs);
    for (let line = 1; line <= LINES_EACH; line++) {
      writers.forEach((program, i) => program.type(`${["ann", "bob"][i]} says ${line}`));
      if (line % 20 === 0) {
        // In the middle of what has just been typed: some of it is stored, and not acknowledged.
        await until(() => programs.some((program) => program.lines().length >= line), programs);
        server = await killAndStart(server, dataDir);
      } else await Bun.sleep(5);
    }
    await until(() => programs.every((program) => program.lines().length >= 2 * LINES_EACH), programs);
    // Whatever is shown twice is shown again by the time that one more line has gone round.
    programs[0]?.type("ann says goodbye");
    await until(() => programs.every((program) => program.lines().at(-1)?.endsWith("goodbye")), programs);

    const stored = (await ann.moveTo(server).get("/api/chat/rooms/public/messages/?limit=200")).json();
    const { messages } = stored as { messages: { seq: number; username: string; content: string }[] };
    const shown = messages.map(({ seq, username, content }) => `#${seq} ${username}: ${content}`);
    for (const program of programs) expect(program.lines()).toEqual(shown);
    for (const name of ["ann", "bob"]) {
      const theirs = messages.filter(({ username }) => username === name).map(({ content }) => content);
      const typed = Array.from({ length: LINES_EACH }, (_, i) => `${name} says ${i + 1}`);
      expect(theirs).toEqual(name === "ann" ? [...typed, "ann says goodbye"] : typed);
    }
  } finally {
    await Promise.all([...running, server].map((each) => each.stop()));
    removeDataDir(dataDir);
  }
}

async function killAndStart(server: Process, dataDir: string): Promise<Process> {
  await server.kill("SIGKILL");
  return startProcess(dataDir, { PORT: new URL(server.url).port });
}

function start(command: string[], cookie: string): Program {
  const env = { ...process.env, COOKIE: cookie };
  const child = Bun.spawn(command, { env, stdio: ["pipe", "pipe", "pipe"] });
  let [output, errors] = ["", ""];
  const collect = async (stream: ReadableStream<Uint8Array>, keep: (text: string) => void) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) keep(decoder.decode(chunk, { stream: true }));
  };
  void collect(child.stdout, (text) => (output += text));
  void collect(child.stderr, (text) => (errors += text));
  return {
    lines: () => output.split("\n").slice(0, -1),
    errors: () => errors,
    type(text) {
      void child.stdin.write(`${text}\n`);
      void child.stdin.flush();
    },
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function until(isSo: () => boolean, programs: readonly Program[]): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) {
      const state = programs.map((program) => `${program.lines().slice(-3).join("\n")}\n${program.errors()}`);
      throw new Error(`the programs have not come so far:\n${state.join("\n---\n")}`);
    }
    await Bun.sleep(10);
  }
}
