/** From the command line to a command. */
import { migrate, MIGRATE_HELP } from "./commands/migrate.ts";
import { serve } from "./commands/serve.ts";
import { user, USER_HELP } from "./commands/user.ts";
import { complain, say } from "./log.ts";
import { version } from "../package.json";

const HELP = `EchoChat ${version}: a small self-hosted chat

  echochat [serve]     start the server (the default)
${USER_HELP}
${MIGRATE_HELP}
  echochat --help      this text
  echochat --version   the version

Configuration comes from the environment: see example.env.`;

const [command = "serve", ...args] = process.argv.slice(2);

switch (command) {
  case "serve":
    await serve();
    break;
  case "user":
    process.exitCode = await user(args);
    break;
  case "migrate":
    process.exitCode = await migrate(args);
    break;
  case "--help":
    say(HELP);
    break;
  case "--version":
    say(version);
    break;
  default:
    complain(`Unknown command "${command}".\n\n${HELP}`);
    process.exitCode = 2;
}
