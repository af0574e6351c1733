import { expect, test } from "bun:test";
import { TABLES, type Value } from "../db/copy/tables.ts";
import {
  memberRow,
  membershipOf,
  messageOf,
  messageRow,
  personOf,
  roomOf,
  roomRow,
  tableOf,
  userRow,
  type Ids,
  type Names,
} from "./rows.ts";

type Row = Record<string, Value>;

const names: Names = { person: (id) => (id === null ? null : `person ${id}`), room: (id) => `room ${id}` };
const ids: Ids = { person: (name) => Number(name.slice(7)), room: (slug) => Number(slug.slice(5)) };

/** Of each table that is exported: there and back, and which columns do not come along. */
const JOURNEYS: Record<string, { travel: (row: Row) => Row; leftOut: string[] }> = {
  users: { travel: (row) => userRow(Number(row["id"]), personOf(row)), leftOut: ["password_hash"] },
  rooms: { travel: (row) => roomRow(Number(row["id"]), roomOf(row, names), ids), leftOut: [] },
  members: { travel: (row) => memberRow(membershipOf(row, names), ids), leftOut: ["invitation_id"] },
  messages: { travel: (row) => messageRow(messageOf(row, names), ids), leftOut: ["client_key"] },
};
const LEFT_OUT = ["invitations", "sessions", "audit", "installation", "origins"];

/** What follows from other columns has to fit to them. */
const FITTING: Row = { name: "ann", name_key: "ann", name_look: "ann", direct_key: "3:7" };

test("each table is exported, or left out on purpose", () => {
  expect(TABLES.map(({ name }) => name).toSorted()).toEqual(
    [...Object.keys(JOURNEYS), ...LEFT_OUT].toSorted(),
  );
});

test.each(Object.keys(JOURNEYS))("each column of %s comes back, or is left out on purpose", (name) => {
  const { columns } = tableOf(name);
  const filled = columns.map(({ name: column, type }, at): [string, Value] => {
    const some = type === "boolean" ? at % 2 === 0 : type === "bigint" ? 100 + at : `text ${at}`;
    return [column, FITTING[column] ?? some];
  });
  const row: Row = Object.fromEntries(filled);
  const { travel, leftOut } = JOURNEYS[name] ?? { travel: (one: Row) => one, leftOut: [] };
  const back = travel(row);
  const changed = columns.map((column) => column.name).filter((column) => back[column] !== row[column]);
  expect(changed).toEqual(leftOut);
});
