/** Where pictures are found. */

const DEFAULT_AVATAR = "default.jpg";

/** The absolute URL of an avatar, under the origin by which the client knows this server. */
export function avatarUrl(path: string | null, origin: string): string {
  return `${origin}/media/${path ?? DEFAULT_AVATAR}`;
}

/** The path of an avatar as lists show it. Imported ones come in one size only. */
export function smallAvatar(path: string): string {
  return path.replace(OWN, "$1.64.webp");
}

const OWN = /^(profile_pics\/[0-9a-f]{32})\.webp$/;
