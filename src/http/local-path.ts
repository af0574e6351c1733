/** A path of this server to go to, whatever the text claims: never another host. */
export function localPath(text: string | null | undefined): string {
  const here = "http://here.invalid";
  if (!text?.startsWith("/") || !URL.canParse(text, here)) return "/";
  const url = new URL(text, here);
  // "//evil" and "/\evil" parse as other hosts, "/.//evil" as a path that would be read as one.
  const local = url.origin === here && !url.pathname.startsWith("//");
  return local ? url.pathname + url.search + url.hash : "/";
}
