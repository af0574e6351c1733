/** What every implementation of the ports of chat and accounts must do. */
import { afterAll, beforeAll, describe } from "bun:test";
import { appending } from "./appending.ts";
import { naming, findingRooms, keepingAccounts, keepingSessions } from "./keeping.ts";
import { type OpenStores } from "./open.ts";
import { paging, aroundMessage, changing } from "./reading.ts";

/** The suite. `open` gives an empty database, each time another one. */
export function describeMessageStore(name: string, open: () => Promise<OpenStores>): void {
  describe(`the stores of ${name}`, () => {
    let stores: OpenStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    describe("appending messages", () => appending(() => stores));
    describe("reading pages", () => paging(() => stores));
    describe("reading around a message", () => aroundMessage(() => stores));
    describe("reading what has changed", () => changing(() => stores));
    describe("the history's name", () => naming(open));
    describe("rooms", () => findingRooms(() => stores));
    describe("accounts", () => keepingAccounts(() => stores));
    describe("sessions", () => keepingSessions(() => stores));
  });
}
