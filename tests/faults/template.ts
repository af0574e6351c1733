/** An installation with people and rooms in it, made once and copied for every run. */
import { cpSync } from "node:fs";
import { guest, member, stranger, type Client, type ClientOptions } from "../../src/testing/client.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import {
  makeDataDir,
  removeDataDir,
  startProcess,
  type Place,
  type Process,
} from "../../src/testing/world.ts";
import { doorsOf, type HttpDoor } from "./clients/doors.ts";
import { readEpoch, type Query } from "./checker/stored.ts";
import { inDatabase } from "../../src/testing/database.ts";

/** Everybody but ann's guests: who they are is how they come. */
export const PEOPLE = {
  pages: ["ann", "bob", "cleo", "dan", "eve"],
  originals: ["olga", "otto"],
  posters: { rest: "rita", form: "fred" },
  /** Speaks to the attic, and to everybody at once. */
  flooder: "zoe",
  repeater: "rex",
} as const;

export const OWNER = "ann";

/** Everybody is in the den; in the attic is nobody but the flooder and `ATTIC_READER`. */
export const ROOMS = { public: "public", den: "den", attic: "attic" } as const;
export const ATTIC_READER = "eve";

/** Those who take part, as the data knows them: sessions are in it, so a copy of it knows them too. */
export interface Cast {
  /** The ways to post without a socket that this program has. */
  doors: readonly HttpDoor[];
  /** Their browser, at this address; `guest` is nobody's. */
  client(who: string, place: Place): Client;
}

export interface Template extends Cast {
  epoch: string;
  remove(): void | Promise<void>;
}

export interface FileTemplate extends Template {
  copyTo(dataDir: string): void;
}

export async function makeTemplate(): Promise<FileTemplate> {
  const dataDir = makeDataDir();
  const server = await startProcess(dataDir);
  const cast = await settle(server);
  await server.kill("SIGTERM");
  return {
    ...cast,
    epoch: await readEpoch(queryOf(dataDir)),
    copyTo: (to) => cpSync(dataDir, to, { recursive: true }),
    remove: () => removeDataDir(dataDir),
  };
}

export function queryOf(dataDir: string): Query {
  return <Found>(sql: string) => Promise.resolve(inDatabase<Found>({ dataDir }, sql));
}

/** Lets everybody move in. `options`: what their browsers are like from then on. */
export async function settle(server: Process, options: ClientOptions = {}): Promise<Cast> {
  const cookies = await furnish(server);
  const client = (who: string, place: Place) => {
    const browser = stranger(place, options);
    for (const [name, value] of cookies.get(who) ?? []) browser.cookies.set(name, value);
    return browser;
  };
  return { doors: await doorsOf(client(OWNER, server)), client };
}

/** Accounts, rooms and who is in them; answers with everybody's cookies. */
async function furnish(server: Process): Promise<Map<string, Map<string, string>>> {
  const { pages, originals, posters, flooder, repeater } = PEOPLE;
  const names = [...pages, ...originals, ...Object.values(posters), flooder, repeater];
  const people = new Map<string, Client>([["guest", await guest(server)]]);
  for (const name of names) people.set(name, await member(server, name));
  const clientOf = (name: string) => people.get(name) as Client;

  await makeRoom(clientOf(OWNER), "The den", ROOMS.den);
  const toDen = await invite(clientOf(OWNER), ROOMS.den);
  for (const name of names) if (name !== OWNER) await join(clientOf(name), toDen);
  await makeRoom(clientOf(flooder), "The attic", ROOMS.attic);
  await join(clientOf(ATTIC_READER), await invite(clientOf(flooder), ROOMS.attic));
  return new Map([...people].map(([name, client]) => [name, client.cookies]));
}
