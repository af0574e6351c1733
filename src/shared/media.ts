/** Where pictures are found. */

const DEFAULT_AVATAR = "default.jpg";

/** The absolute URL of an avatar, under the origin by which the client knows this server. */
export function avatarUrl(path: string | null, origin: string): string {
  return `${origin}/media/${path ?? DEFAULT_AVATAR}`;
}
