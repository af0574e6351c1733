import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { PASSWORD } from "../../src/testing/client.ts";
import { bomb, jpeg, png } from "../../src/testing/pictures.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { everyLook, faultsOf, overflow, smallTargets } from "./appearance.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
});
afterEach(() => browser.empty());
afterAll(async () => {
  await browser.close();
  await world.stop();
});

const RED: [number, number, number] = [200, 40, 90];
const asFile = (bytes: Uint8Array, name = "me.png") => ({
  name,
  mimeType: "image/png",
  buffer: Buffer.from(bytes),
});
const field = ({ page }: Person, name: string) => page.locator(`[name=${name}]`);
const choose = (person: Person, file: ReturnType<typeof asFile>) =>
  field(person, "image").setInputFiles(file);

/** Whether the pictures that fit have come and can be seen, each in its full size. */
const areShown = ({ page }: Person, selector: string) =>
  page
    .locator(selector)
    .evaluateAll((pictures) =>
      pictures.every(
        (picture) => picture instanceof HTMLImageElement && picture.complete && picture.naturalWidth > 0,
      ),
    );

let people = 0;

/** Cyrillic, so that no name is taken for a word left in English. */
const newName = () => `Анна_${++people}`;

for (const javaScriptEnabled of [true, false]) {
  describe(`with scripts ${javaScriptEnabled ? "on" : "off"}`, () => {
    test("people tell of themselves, and others see it wherever they are named", async () => {
      const ann = await browser.person(newName(), { javaScriptEnabled });
      await ann.registers("/rooms/public");
      await ann.composer.fill(`hello from ${ann.name}`);
      await ann.presses("Send");
      await ann.seesMessage(`hello from ${ann.name}`);
      await eventually(() => ann.page.locator(".sending").count(), 0);
      await ann.page.locator(".bar .me").click();
      await ann.page.waitForURL("/profile");

      await choose(ann, asFile(png(600, 400)));
      await field(ann, "username").fill(`${ann.name}.new`);
      await field(ann, "email").fill(`ann${people}@example.org`);
      await field(ann, "bio").fill("One line\nand https://example.org/");
      await ann.presses("Save");
      await ann.sees("Saved.");
      expect(await field(ann, "bio").inputValue()).toBe("One line\nand https://example.org/");
      await eventually(() => areShown(ann, "img.avatar"), true);
      expect(await ann.page.locator("img.avatar").count()).toBe(2);

      const bob = await browser.person(newName(), { javaScriptEnabled });
      await bob.signsUp("/rooms/public");
      const message = bob.message(`hello from ${ann.name}`);
      await eventually(() => areShown(bob, ".message img.avatar"), true);
      await message.getByRole("link", { name: `${ann.name}.new`, exact: true }).click();
      await bob.sees("One line");
      expect(await bob.page.locator(".bio a").getAttribute("href")).toBe("https://example.org/");
      await eventually(() => areShown(bob, "img.avatar.large"), true);
      expect(await bob.page.getByRole("button", { name: "Write a direct message" }).count()).toBe(1);
    });

    test("a refused profile comes back as it was typed, with the reason at each field", async () => {
      const expects = [/422/];
      const ann = await browser.person(newName(), { javaScriptEnabled, expects });
      await ann.signsUp("/profile");
      await choose(ann, asFile(bomb(20_000)));
      await field(ann, "username").fill("no spaces");
      await field(ann, "bio").fill("x".repeat(1001));
      await ann.presses("Save");
      await ann.sees("Use only letters, digits and @ . + - _ in your name.");
      await ann.sees("Too long: at most 1,000 characters.");
      await ann.sees("The picture has more than 25 million pixels.");
      expect(await field(ann, "username").inputValue()).toBe("no spaces");
      expect(await field(ann, "bio").inputValue()).toHaveLength(1001);
      await field(ann, "username").fill(ann.name);
      await field(ann, "bio").fill("shorter");
      await ann.presses("Save");
      await ann.sees("Saved.");
    });

    test("people change their password, end a session, and delete their account", async () => {
      const ann = await browser.person(newName(), { javaScriptEnabled, expects: [/422|404/] });
      await ann.signsUp("/profile");
      const elsewhere = await browser.person(ann.name, { javaScriptEnabled });
      await elsewhere.logsIn("/profile");

      await ann.opens("/profile");
      await ann.page.getByRole("button", { name: /^End: Chrome on Linux/ }).click();
      await ann.sees("The session is over.");
      await elsewhere.opens("/profile");
      expect(elsewhere.page.url()).toEndWith("/login?next=%2Fprofile");

      const change = async (current: string) => {
        await field(ann, "current").fill(current);
        for (const name of ["password1", "password2"]) await field(ann, name).fill("another horse");
        await ann.presses("Change password");
      };
      await change("wrong");
      await ann.sees("This is not your current password.");
      const isFocused = () => field(ann, "current").evaluate((input) => document.activeElement === input);
      await eventually(isFocused, true);
      await change(PASSWORD);
      await ann.sees("The password is changed, and your other sessions are over.");

      await field(ann, "password").fill("another horse");
      await field(ann, "confirmation").fill(ann.name);
      await ann.presses("Delete my account");
      await ann.page.waitForURL("/");
      await ann.sees("Log in");
      await ann.opens(`/users/${ann.name}`);
      await ann.sees("Nothing here");
    });
  });
}

test("a picture is shown before it is sent, cut to a square, and a file that is none is told at once", async () => {
  const ann = await browser.person(newName());
  await ann.signsUp("/profile");
  expect(await ann.page.locator("canvas").count()).toBe(0);
  await choose(ann, asFile(png(600, 400, RED)));
  await eventually(() => middleOf(ann), RED);
  const drop = (await ann.page.locator("canvas").boundingBox()) ?? { width: 0, height: 1 };
  expect(drop.width).toBe(drop.height);

  await choose(ann, asFile(new Uint8Array(100)));
  await ann.sees("This is not a picture of a known kind, or it is damaged.");
  expect(await ann.page.locator("canvas").count()).toBe(0);
  await choose(
    ann,
    asFile(new Uint8Array(Buffer.concat([await jpeg(30, 30), Buffer.alloc(20 * 1024 * 1024)]))),
  );
  await ann.sees("The file is larger than 20 MB.");
  await choose(ann, asFile(png(40, 90, [10, 200, 30])));
  await ann.seesNot("The file is larger than 20 MB.");
  await eventually(() => middleOf(ann), [10, 200, 30]);
});

test("a picture that was chosen before the script came is shown as well", async () => {
  const ann = await browser.person(newName());
  await ann.signsUp("/rooms/public");
  const { promise: chosen, resolve: onChosen } = Promise.withResolvers<void>();
  await ann.page.route("**/assets/*.js", async (route) => {
    await chosen;
    await route.continue();
  });
  await ann.page.goto("/profile", { waitUntil: "commit" });
  await choose(ann, asFile(png(60, 60, RED)));
  onChosen();
  await eventually(() => middleOf(ann), RED);
});

test("a picture that is too large even for the form is refused with a page", async () => {
  const ann = await browser.person(newName(), { javaScriptEnabled: false, expects: [/413/] });
  await ann.signsUp("/profile");
  const path = join(world.dataDir, "large.png");
  writeFileSync(path, new Uint8Array(30 * 1024 * 1024));
  await field(ann, "image").setInputFiles(path);
  await ann.presses("Save");
  await ann.sees("The server does not accept that much at once.");
});

for (const { locale, scheme, width } of everyLook([390, 1280])) {
  test(`the pages of people are accessible, fit and speak ${locale}, ${scheme}, at ${width} pixels`, async () => {
    const viewport = { width, height: 800 };
    const ann = await browser.person(newName(), { locale, scheme, viewport, expects: [/422/] });
    await ann.signsUp("/profile");
    const faults = await faultsOf(ann, "the profile", locale, scheme);
    await choose(ann, asFile(png(300, 300)));
    await ann.page.locator("canvas").waitFor();
    await field(ann, "bio").fill("о себе");
    await ann.page.locator("form[action='/profile'] button").click();
    await ann.page.locator(".done").waitFor();
    faults.push(...(await faultsOf(ann, "the saved profile", locale, scheme)));
    await field(ann, "username").fill("a b");
    await ann.page.locator("form[action='/profile'] button").click();
    await ann.page.locator(".problem").first().waitFor();
    faults.push(...(await faultsOf(ann, "a profile refused", locale, scheme)));
    const bob = await browser.person(newName(), { locale, scheme, viewport });
    await bob.signsUp("/profile");
    await bob.opens(`/users/${ann.name}`);
    faults.push(...(await faultsOf(bob, "somebody's page", locale, scheme)));
    expect(faults).toEqual([]);
  });
}

test("the pages of people fit a narrow window, and a finger", async () => {
  const viewport = { width: 320, height: 568 };
  const name = `Анастасия_Владимировна_${"очень".repeat(20)}`;
  const ann = await browser.person(name, { viewport, touch: true });
  await ann.signsUp("/profile");
  expect(await overflow(ann)).toBe(0);
  expect(await smallTargets(ann)).toEqual([]);
  await ann.opens(`/users/${name}`);
  expect(await overflow(ann)).toBe(0);
  expect(await smallTargets(ann)).toEqual([]);
});

/** The colour in the middle of the preview, as red, green and blue; null while there is none. */
async function middleOf({ page }: Person): Promise<number[] | null> {
  return page.evaluate(() => {
    const canvas = document.querySelector("canvas");
    const data = canvas?.getContext("2d")?.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
    return data ? Array.from(data.subarray(0, 3)) : null;
  });
}
