/** What every implementation of the ports of chat and accounts must do. */
import { afterAll, beforeAll, describe } from "bun:test";
import { listing } from "./directory.ts";
import { editing } from "./editing.ts";
import { inviting } from "./invitations.ts";
import { naming, findingRooms, keepingAccounts, keepingSessions } from "./keeping.ts";
import { belonging, handingOver, markingRead, withdrawing } from "./members.ts";
import { type OpenStores } from "./open.ts";
import { paging, aroundMessage, changing } from "./reading.ts";
import { posting } from "./posting.ts";
import { refusing } from "./refusing.ts";
import { findingMessages, removing } from "./removing.ts";
import { listingRooms, makingRooms, talkingDirectly } from "./rooms.ts";

/** The suite. `open` gives an empty database, each time another one. */
export function describeMessageStore(name: string, open: () => Promise<OpenStores>): void {
  describe(`the stores of ${name}`, () => {
    let stores: OpenStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    describe("posting messages", () => posting(() => stores));
    describe("refusing a message", () => refusing(() => stores));
    describe("editing a message", () => editing(() => stores));
    describe("reading pages", () => paging(() => stores));
    describe("reading around a message", () => aroundMessage(() => stores));
    describe("reading what has changed", () => changing(() => stores));
    describe("removing a message", () => removing(() => stores));
    describe("finding messages", () => findingMessages(() => stores));
    describe("the history's name", () => naming(open));
    describe("rooms", () => findingRooms(() => stores));
    describe("new rooms", () => makingRooms(() => stores));
    describe("talking directly", () => talkingDirectly(() => stores));
    describe("the list of somebody's rooms", () => listingRooms(() => stores));
    describe("belonging to a room", () => belonging(() => stores));
    describe("handing a room over", () => handingOver(() => stores));
    describe("withdrawing from all rooms", () => withdrawing(() => stores));
    describe("marking as read", () => markingRead(() => stores));
    describe("an invitation", () => inviting(() => stores));
    describe("accounts", () => keepingAccounts(() => stores));
    describe("sessions", () => keepingSessions(() => stores));
    describe("the lists of staff", () => listing(open));
  });
}
