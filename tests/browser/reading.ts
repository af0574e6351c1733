/** A room with a long past, and what a reader can say about the page that shows it. */
import { eventually, type Person } from "../../src/testing/browser.ts";
import { afternoon, type Said } from "./conversation.ts";

/** 180 messages, each with a number, on four days in March, all between 2:00 and 4:00 UTC. */
export function fourDays(people: readonly string[]): Said[] {
  const days = [14, 15, 16, 17].map((day) => Date.UTC(2026, 2, day, 2));
  const lines = days.flatMap((start) => afternoon(people, start).slice(0, 45));
  return lines.map((line, i) => ({ ...line, text: `${i + 1}. ${line.text}` }));
}

/** Scrolls up, and has the page notice it. */
export async function scrollUp(person: Person, pixels: number): Promise<void> {
  await person.scroller.evaluate(async (scroller, distance) => {
    const noticed = new Promise((resolve) => scroller.addEventListener("scroll", resolve, { once: true }));
    scroller.scrollBy(0, -distance);
    await noticed;
  }, pixels);
  await Bun.sleep(100);
}

/** Scrolls to the newest message, and has the page notice it: it does as the next frame begins. */
export async function scrollToEnd(person: Person): Promise<void> {
  await person.scroller.evaluate(async (scroller) => {
    scroller.scrollTo(0, 0);
    await new Promise(requestAnimationFrame);
  });
  await eventually(() => distanceToEnd(person), 0);
}

/** Scrolls up to the link that loads more, and waits until htmx has taken it over. */
export async function goToTop(person: Person): Promise<void> {
  await person.scroller.evaluate((scroller) => scroller.scrollTo(0, -scroller.scrollHeight));
  await person.page.locator(".older a[data-htmx-powered]").filter({ visible: true }).waitFor();
}

/** Loads the page before; resolves when so many messages are there. */
export async function loadOlder(person: Person, shown: number): Promise<void> {
  await person.follows("Older messages");
  await eventually(async () => (await person.reads()).length, shown);
}

/** Pixels between what is seen and the newest message. */
export function distanceToEnd(person: Person): Promise<number> {
  return person.scroller.evaluate((scroller) => {
    const end = scroller.getBoundingClientRect().bottom;
    const last = [...scroller.querySelectorAll(".message")].at(-1)?.getBoundingClientRect().bottom ?? NaN;
    return Math.abs(scroller.scrollTop) + Math.max(0, last - end);
  });
}

/** Messages that do not stand under their own day in the browser's zone, and the days that are named. */
export function daysOf(person: Person): Promise<{ misplaced: string[]; named: string[] }> {
  return person.page.evaluate(() => {
    const misplaced: string[] = [];
    const named: string[] = [];
    const day = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });
    for (const row of document.querySelectorAll(".messages > li")) {
      if (!row.checkVisibility()) continue;
      const time = row.querySelector("time")?.dateTime;
      if (time && !row.matches(".message")) named.push(time);
      if (!time || !row.matches(".message") || day.format(new Date(time)) === named.at(-1)) continue;
      misplaced.push(`${time} stands under ${named.at(-1)}`);
    }
    return { misplaced, named };
  });
}

/** In the page: the times of a page as sent, or of the open one, that are not those of the zone. */
export function timesIn({ zone, html }: { zone: string; html?: string }): { right: number; wrong: string[] } {
  const shown = html === undefined ? document : new DOMParser().parseFromString(html, "text/html");
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hour: "numeric", minute: "2-digit" });
  const plain = (text: string) => text.replaceAll(/\s/g, " ");
  const times = [...shown.querySelectorAll<HTMLTimeElement>(".message time")];
  const wrong = times.filter(
    (time) => plain(format.format(new Date(time.dateTime))) !== plain(time.textContent),
  );
  return {
    right: times.length - wrong.length,
    wrong: wrong.map((time) => `${time.dateTime} as ${time.textContent}`),
  };
}
