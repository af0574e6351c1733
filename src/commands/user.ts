/** Accounts from the command line, while the server runs or not: whoever sits at the machine may do everything. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createAccounts, type RegistrationFault } from "../accounts/accounts.ts";
import { createAudit } from "../accounts/audit.ts";
import { createPasswords } from "../accounts/passwords.ts";
import type { Account, AccountRank, By } from "../accounts/ports.ts";
import { createSessions } from "../accounts/sessions.ts";
import { createStanding, subjectOf } from "../accounts/standing.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { clock } from "../compose/domain.ts";
import { openStores, type Stores } from "../compose/stores.ts";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { secretText } from "../http/csrf.ts";
import { complain, say } from "../log.ts";
import { loadCommonPasswords } from "../resources.ts";
import { askPassword, generatePassword } from "./password.ts";

export const HELP = `  echochat user create <name> [--staff|--superuser] [--generate]
  echochat user promote <name> [--staff|--superuser|--none]
  echochat user disable <name>
  echochat user enable <name>
  echochat user password <name> [--generate]
                       a password is read from standard input, asked for, or made up and shown`;

const COMMAND_LINE: By = { id: null, name: "command line", address: "" };

/** Which flags go with which command. */
const FLAGS: Record<string, readonly string[]> = {
  create: ["--staff", "--superuser", "--generate"],
  promote: ["--staff", "--superuser", "--none"],
  disable: [],
  enable: [],
  password: ["--generate"],
};

const RANKS: Record<string, AccountRank> = {
  "--none": "user",
  "--staff": "staff",
  "--superuser": "superuser",
};

/** Says no in one line. */
class Complaint extends Error {}

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const [command = "", name = "", ...flags] = args;
  const known = Object.hasOwn(FLAGS, command) ? FLAGS[command] : undefined;
  const ranks = flags.filter((flag) => flag in RANKS);
  const fits = known && flags.every((flag) => known.includes(flag)) && ranks.length <= 1;
  if (!fits || name === "" || name.startsWith("--")) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  try {
    const config = readConfig();
    const stores = await open(config, command === "create");
    try {
      const words = await carryOut(stores, config, { command, name, rank: RANKS[ranks[0] ?? ""], flags });
      say(words);
    } finally {
      await stores.close();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Complaint || error instanceof ConfigError)) throw error;
    complain(error.message);
    return 1;
  }
}

async function open(config: Config, mayMake: boolean): Promise<Stores> {
  const file = join(config.dataDir, "echochat.sqlite");
  if (!mayMake && config.databaseUrl === null && !existsSync(file))
    throw new Complaint(`There is no database at ${file}: is DATA_DIR right?`);
  return openStores(config, clock.now(), (copy) =>
    say(`The database was brought up to date; a copy from before is ${copy}.`),
  );
}

interface Order {
  command: string;
  name: string;
  rank: AccountRank | undefined;
  flags: readonly string[];
}

async function carryOut(
  stores: Stores,
  config: Config,
  { command, name, rank, flags }: Order,
): Promise<string> {
  // Nobody listens: the server sees by itself that another process has written.
  const bus = createMemoryBus();
  const { accounts: store } = stores;
  const passwords = createPasswords(config.passwordRules, loadCommonPasswords);
  const sessions = createSessions({
    store: stores.sessions,
    clock,
    secrets: { text: secretText },
    bus,
  });
  const audit = createAudit({ log: stores.audit, clock });
  const standing = createStanding({ store, sessions, bus, audit });

  async function newPassword() {
    const made = flags.includes("--generate") ? generatePassword() : await askPassword();
    if (!made) throw new Complaint("Nothing was changed.");
    return made;
  }

  const shown = (words: string, password: string) =>
    flags.includes("--generate") ? `${words}\nPassword: ${password}` : words;

  async function create(): Promise<string> {
    const { password, again } = await newPassword();
    const accounts = createAccounts({ store, passwords, clock });
    const result = await accounts.register({ username: name, password1: password, password2: again });
    if ("refused" in result) throw new Complaint(wordsFor(result.refused));
    const { account } = result;
    await audit.record("account.registered", COMMAND_LINE, subjectOf(account));
    if (rank) await standing.setRank(account, rank, COMMAND_LINE);
    return shown(`Made ${account.name}, ${rank ?? "user"}.`, password);
  }

  async function existing(): Promise<Account> {
    const account = await standing.find(name);
    if (!account) throw new Complaint(`There is no user ${JSON.stringify(name)}.`);
    return account;
  }

  async function setPassword(): Promise<string> {
    const account = await existing();
    const { password, again } = await newPassword();
    if (password === "") throw new Complaint(WORDS.missing);
    if (password !== again) throw new Complaint(WORDS.differ);
    if (!(await passwords.allows(password, account.name))) throw new Complaint(WORDS.weak);
    await standing.setPassword(account, await passwords.hash(password), COMMAND_LINE);
    return shown(`${account.name} has a new password, and is signed out everywhere.`, password);
  }

  switch (command) {
    case "create":
      return create();
    case "promote": {
      const promoted = await standing.setRank(await existing(), rank ?? "staff", COMMAND_LINE);
      return `${promoted.name} is ${rank ?? "staff"}.`;
    }
    case "disable":
      return `${(await standing.disable(await existing(), true, COMMAND_LINE)).name} is disabled.`;
    case "enable":
      return `${(await standing.disable(await existing(), false, COMMAND_LINE)).name} is enabled.`;
    default:
      return setPassword();
  }
}

const WORDS = {
  missing: "A password is needed.",
  differ: "The two passwords differ.",
  weak: "This password is too weak: see RELAX_PASSWORDS in example.env for the rules.",
};

function wordsFor(refused: RegistrationFault): string {
  switch (refused.fault) {
    case "missing":
      return refused.field === "username" ? "A name is needed." : WORDS.missing;
    case "taken":
      return "This name is already taken.";
    case "differ":
    case "weak":
      return WORDS[refused.fault];
    case "bad":
      return {
        blank: "A name is needed.",
        characters: "A name has only letters, digits and @ . + - _",
        too_long: "A name has at most 150 characters.",
      }[refused.name.fault];
  }
}
