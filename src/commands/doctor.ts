/** Looks an installation over, whether its server runs or not: one line for each thing, and what to do about it. */
import { join } from "node:path";
import { ConfigError, readConfig, readGiven, type Config } from "../config.ts";
import { complain, createLog, say } from "../log.ts";
import { version } from "../../package.json";
import { database } from "./doctor/database.ts";
import { fsync, room, writable } from "./doctor/disk.ts";
import { reasonOf, unwell, well, type Finding } from "./doctor/finding.ts";
import { settings } from "./doctor/settings.ts";
import { openFiles, proxies } from "./doctor/surroundings.ts";

export const HELP = `  echochat doctor      look this installation over: each line is ok, or says what to do; the exit code is 0 or 1`;

/** Answers with the exit code: 0, 1 when something is not well, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  if (args.length > 0) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  const seen: Finding[] = [];
  for await (const finding of findings()) {
    say(`${finding.isWell ? "ok" : "!!"}  ${finding.about.padEnd(13)}${finding.words}`);
    seen.push(finding);
  }
  const wrong = seen.filter(({ isWell }) => !isWell).length;
  say(wrong === 0 ? "\nAll is well." : `\nTo be looked at: ${wrong}.`);
  return wrong === 0 ? 0 : 1;
}

/** Each is told as soon as it is found. */
async function* findings(): AsyncGenerator<Finding> {
  const { platform, arch } = process;
  yield well("version", `EchoChat ${version}, Bun ${Bun.version}, ${platform} ${arch}`);
  const given = readGiven();
  yield* settings(given);
  const config = configuration();
  if (config instanceof ConfigError) return yield unwell("setting", config.message);
  yield writable("data folder", config.dataDir);
  if (config.databaseUrl === null) {
    yield fsync(config.dataDir);
    yield room(config.dataDir);
  }
  yield* await database(config);
  if (config.redisUrl !== null) yield await redis(config.redisUrl);
  yield await pictures(config);
  yield proxies(config, given);
  yield* openFiles(config);
}

function configuration(): Config | ConfigError {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

async function redis(url: string): Promise<Finding> {
  const { openRedis } = await import("../bus/redis.ts");
  try {
    const found = await openRedis(
      url,
      createLog(() => {}),
    );
    await found.close();
    return well("Redis", `Redis ${found.version} answers`);
  } catch (error) {
    return unwell("Redis", reasonOf(error));
  }
}

async function pictures({ s3, mediaDir, dataDir }: Config): Promise<Finding> {
  if (!s3) return writable("pictures", mediaDir ?? join(dataDir, "media"));
  const { openS3 } = await import("../media/s3.ts");
  try {
    await openS3(s3);
    return well("pictures", `the bucket ${s3.bucket} can be written, read and listed`);
  } catch (error) {
    return unwell("pictures", reasonOf(error));
  }
}
