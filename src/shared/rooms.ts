/** The slug of the room that everyone may read. */
export const PUBLIC_ROOM = "public";
