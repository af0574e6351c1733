/** Pictures that people have uploaded: shown as pictures and as nothing else, whatever may be in them. */
import { Elysia } from "elysia";
import type { Pictures } from "../accounts/ports.ts";
import { HttpRefusal } from "./refusals.ts";
import { SECURITY_HEADERS } from "./respond.ts";

const MEDIA = "/media/";

/** A picture has a name of its own for as long as it exists. */
const HEADERS = {
  ...SECURITY_HEADERS,
  "cache-control": "public, max-age=2592000, immutable",
  "content-security-policy": "sandbox; default-src 'none'",
  "content-disposition": "inline",
};

export function mediaRoutes(pictures: Pictures) {
  return new Elysia().get(`${MEDIA}profile_pics/*`, async ({ request }) => {
    const picture = await pictures.open(pathOf(request));
    if (!picture) throw new HttpRefusal(404, "Not found");
    return new Response(picture.content, { headers: { ...HEADERS, "content-type": picture.type } });
  });
}

/** Empty for a path with a stray percent sign. */
function pathOf(request: Request): string {
  try {
    return decodeURIComponent(new URL(request.url).pathname.slice(MEDIA.length));
  } catch {
    return "";
  }
}
