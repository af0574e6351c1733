/** From the command line to a command. */
import { complain, say } from "./log.ts";
import { version } from "../package.json";

/** `run` answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
interface Command {
  HELP: string;
  run(args: readonly string[]): Promise<number>;
}

/** Each is loaded when it is asked for. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  serve: () => import("./commands/serve.ts"),
  user: () => import("./commands/user.ts"),
  backup: () => import("./commands/backup.ts"),
  verify: () => import("./commands/verify.ts"),
  restore: () => import("./commands/restore.ts"),
  export: () => import("./commands/export.ts"),
  import: () => import("./commands/import.ts"),
  migrate: () => import("./commands/migrate.ts"),
  doctor: () => import("./commands/doctor.ts"),
  health: () => import("./commands/health.ts"),
};

async function help(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  return `EchoChat ${version}: a small self-hosted chat

${commands.map(({ HELP }) => HELP).join("\n")}
  echochat --help      this text
  echochat --version   the version

Configuration comes from the environment: see example.env.`;
}

async function run([name = "serve", ...args]: readonly string[]): Promise<number> {
  if (name === "--help") say(await help());
  else if (name === "--version") say(version);
  else {
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (load) return (await load()).run(args);
    complain(`Unknown command "${name}".\n\n${await help()}`);
    return 2;
  }
  return 0;
}

// What is made here holds what people wrote: nobody else on this machine may read it.
process.umask(0o077);
process.exitCode = await run(process.argv.slice(2));
