/** What people do with private rooms, by the forms of the pages. */
import type { Client } from "./client.ts";
import { tags } from "./html.ts";

/** Makes a room; its slug. */
export async function makeRoom(owner: Client, name: string, slug = ""): Promise<string> {
  const answer = await owner.submit("/rooms", { name, slug });
  const location = answer.headers.get("location") ?? "";
  if (answer.status !== 303) throw new Error(`the room was not made: ${answer.status} ${answer.text}`);
  return location.slice("/rooms/".length);
}

/** Makes an invitation; the path of its link. */
export async function invite(
  moderator: Client,
  slug: string,
  terms: { days?: string; uses?: string } = {},
): Promise<string> {
  const form = await moderator.openForm(settingsOf(slug), { action: `/rooms/${slug}/invitations` });
  const answer = await moderator.sendForm(form, { days: "", uses: "", ...terms });
  if (answer.status !== 303) throw new Error(`nobody is invited: ${answer.status} ${answer.text}`);
  return (await linksOf(moderator, slug))[0] ?? "";
}

/** The paths of the invitations that still work, the newest first. */
export async function linksOf(moderator: Client, slug: string): Promise<string[]> {
  const page = await moderator.get(settingsOf(slug), { accept: "text/html" });
  const links = tags(page.text, ".invitations input[readonly]");
  return links.map(({ attributes }) => new URL(attributes.value ?? "").pathname);
}

/** Follows an invitation's link and presses the button. */
export async function join(client: Client, link: string): Promise<void> {
  const answer = await client.sendForm(await client.openForm(link, { action: link }));
  if (answer.status !== 303) throw new Error(`not let in: ${answer.status} ${answer.text}`);
}

/** Presses one of the buttons of the settings: `members/bob/remove`, `leave`, `settings`. */
export async function press(client: Client, slug: string, act: string, typed?: Record<string, string>) {
  const form = await client.openForm(settingsOf(slug), { action: `/rooms/${slug}/${act}` });
  return client.sendForm(form, typed);
}

/** Who the settings list, with their roles. */
export async function peopleOf(client: Client, slug: string): Promise<string[]> {
  const page = await client.get(settingsOf(slug), { accept: "text/html", "accept-language": "en" });
  const people: string[] = [];
  for (const { name, text } of tags(page.text, ".member-list li > a, .member-list .role")) {
    if (name === "a") people.push(text);
    else people.push(`${people.pop()} ${text}`);
  }
  return people;
}

function settingsOf(slug: string): string {
  return `/rooms/${slug}/settings`;
}
