/** Several nodes in this process that share a database and a Redis. */
import { createApp } from "../app.ts";
import { readConfig, type Config } from "../config.ts";
import { createLog } from "../log.ts";
import type { Place } from "./world.ts";

export interface Node extends Place {
  /** What it has logged so far: the names of events above the level `info`. */
  complaints: readonly string[];
  stop(): Promise<void>;
}

/** `where` names what the nodes share. */
export async function startNode(where: Pick<Config, "dataDir"> & Partial<Config>): Promise<Node> {
  const complaints: string[] = [];
  const log = createLog((line) => {
    const { level, event } = JSON.parse(line) as { level: string; event: string };
    if (level !== "info") complaints.push(event);
  });
  const patient = { AUTH_RATE_LIMIT: "1000000", CHAT_MESSAGE_RATE_LIMIT: "1000000", PORT: "0" };
  const app = await createApp({ ...readConfig(patient), ...where }, log);
  return { url: app.url, complaints, stop: app.stop };
}
