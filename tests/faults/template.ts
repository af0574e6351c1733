/** An installation with people and rooms in it, made once and copied for every run. */
import { cpSync } from "node:fs";
import { guest, member, stranger, type Client } from "../../src/testing/client.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import {
  makeDataDir,
  removeDataDir,
  startProcess,
  type Place,
  type Process,
} from "../../src/testing/world.ts";
import { doorsOf, type HttpDoor } from "./clients/doors.ts";
import { readEpoch } from "./checker/stored.ts";

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

export interface Template {
  epoch: string;
  /** The ways to post without a socket that this program has. */
  doors: readonly HttpDoor[];
  copyTo(dataDir: string): void;
  /** Their browser, at this address; `guest` is nobody's. */
  client(who: string, place: Place): Client;
  remove(): void;
}

export async function makeTemplate(): Promise<Template> {
  const dataDir = makeDataDir();
  const server = await startProcess(dataDir);
  const cookies = await settle(server);
  const ann = stranger(server);
  for (const [name, value] of cookies.get(OWNER) ?? []) ann.cookies.set(name, value);
  const doors = await doorsOf(ann);
  await server.kill("SIGTERM");
  return {
    epoch: readEpoch(dataDir),
    doors,
    copyTo: (to) => cpSync(dataDir, to, { recursive: true }),
    client(who, place) {
      const client = stranger(place);
      for (const [name, value] of cookies.get(who) ?? []) client.cookies.set(name, value);
      return client;
    },
    remove: () => removeDataDir(dataDir),
  };
}

/** Everybody's cookies: sessions are in the data, so a copy of it knows them. */
async function settle(server: Process): Promise<Map<string, Map<string, string>>> {
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
