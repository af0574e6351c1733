/** The script of the pages. Without it, or if it fails, every link and form still works. */
import { ComposerIsland } from "./composer.tsx";
import { sendWhatWaits } from "./couriers.ts";
import { defineIslands } from "./element.ts";
import { driveInView, loadHtmx } from "./htmx.ts";
import { PaneIsland } from "./pane.tsx";
import { PictureIsland } from "./picture.tsx";
import { PresenceIsland } from "./presence.tsx";
import { roomBySlug } from "./room.ts";
import { RoomsIsland } from "./rooms.tsx";
import { writerOfPage } from "./writer.ts";
import { tellZone } from "./zone.ts";

const zoneIsNew = tellZone();
defineIslands({
  pane: PaneIsland,
  composer: ComposerIsland,
  picture: PictureIsland,
  presence: PresenceIsland,
  rooms: RoomsIsland,
});
driveInView(document);

const writer = writerOfPage();
if (writer) sendWhatWaits(writer, (room) => roomBySlug(room) !== undefined);

// Pages of history have no island to correct their times: the first one that a browser sees is drawn anew.
if (zoneIsNew && document.querySelector("#history .message")) {
  const htmx = await loadHtmx();
  // Morphed, not replaced: the place that is being read stays where it is.
  await htmx.ajax("GET", location.href, { target: "#history", select: "#history", swap: "outerMorph" });
}
