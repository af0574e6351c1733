/** Code points in one message. */
export const MESSAGE_MAX_LENGTH = 1000;

/** Messages that a page of a room shows, and that one answer of the history API holds by default. */
export const PAGE_SIZE = 50;

/** The most messages that one answer of the history API holds. */
export const PAGE_SIZE_MAX = 200;

/** A reader who missed more changes than this is told to load the page anew. */
export const RESUME_MAX_CHANGES = 10_000;

/**
 * Changes in one frame for a reader who catches up, and UTF-16 units of text in it unless one message has more: even
 * where each needs six bytes, such a frame and what waits before it stay within the bound for slow readers.
 */
export const RESUME_FRAME_CHANGES = 200;
export const RESUME_FRAME_TEXT = 100_000;

/** Messages of one author closer than this stand under one name. Milliseconds. */
export const GROUPING_WINDOW = 5 * 60_000;

export const USERNAME_MAX_LENGTH = 150;

/** Code points in what people say of themselves, before markup is taken out. */
export const BIO_MAX_LENGTH = 1000;

/** The largest file that is taken as a picture. Bytes. */
export const PICTURE_MAX_BYTES = 20 * 1024 * 1024;

/** Code points in the name and in the topic of a room. */
export const ROOM_NAME_MAX_LENGTH = 50;
export const ROOM_TOPIC_MAX_LENGTH = 200;

/** More unread messages than this are not counted. */
export const UNREAD_MAX = 100;

/** Lines of a list that staff look through. */
export const LIST_PAGE_SIZE = 50;

/** Messages of a room that are counted for such a list. */
export const MESSAGES_COUNTED = 10_000;
