import { describe, expect, test } from "bun:test";
import type { VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import { catalogs, LOCALES } from "../../src/shared/locale/locale.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { tags } from "../../src/testing/html.ts";
import { Composer } from "../components/composer.tsx";
import type { Shell } from "../components/layout.tsx";
import { Pane } from "../components/pane.tsx";
import { PictureField } from "../components/picture-field.tsx";
import { PresenceList } from "../components/presence.tsx";
import { LoginPage, RegisterPage } from "./account.tsx";
import { AuditPage } from "./admin/audit.tsx";
import { MessagesPage } from "./admin/messages.tsx";
import { RoomsPage as AdminRoomsPage } from "./admin/rooms.tsx";
import { UserPage as AdminUserPage } from "./admin/user.tsx";
import { UsersPage } from "./admin/users.tsx";
import { InvitationPage } from "./invitation.tsx";
import { RoomSettingsPage, type RoomSettingsProps } from "./room-settings.tsx";
import { RoomsPage } from "./rooms.tsx";
import { NoticePage, type NoticeStatus } from "./notice.tsx";
import { ProfilePage, type ProfilePageProps } from "./profile.tsx";
import { RoomPage, type RoomPageProps } from "./room.tsx";
import { UserPage, type UserPageProps } from "./user.tsx";

const HOSTILE = `</script><script>alert(1)</script><!--"'&lt; \u2028 javascript:alert(1) {room}`;

const guest: Shell = {
  locale: "en",
  t: catalogs.en,
  theme: "system",
  zone: "UTC",
  path: "/rooms/public",
  user: null,
  assets: { js: "/assets/app.js", css: "/assets/app.css", moreCss: "/assets/more.css" },
};
const ann: Shell = {
  ...guest,
  user: { id: 7, name: "Ann", avatar: null, isStaff: true, csrf: "masked-token" },
};
const ROOM = {
  slug: "room",
  name: "A room",
  topic: "A topic",
  kind: "private" as const,
  avatar: null,
  unread: 2,
};
const NEW_ROOM = { name: "", slug: "", error: null };
const MEMBER = { name: "bob", avatar: null, role: "member" as const, invitation: 1 };
const USES = { expiresAt: 1, usesMax: 10, uses: 1 };
const INVITATION = { id: 1, token: "1-token", createdBy: "Ann", isOpen: true, ...USES };
const form = { csrf: "masked-token", username: "", error: null, next: "/", kept: null };
const statuses = Object.keys(catalogs.en.errors).map(Number).filter(Boolean) as NoticeStatus[];

const AT = Date.UTC(2026, 10, 22);
const member = {
  isActive: true,
  isMuted: false,
  isStaff: false,
  isSuperuser: false,
  avatar: null,
  createdAt: AT,
};
const listed = { q: HOSTILE, next: 7, isFirst: false };
const hall = { slug: "hall", name: HOSTILE, owner: HOSTILE, members: 2, messages: 10_000, isClosed: true };
const entry = { id: 1, at: AT, actorName: HOSTILE, subject: HOSTILE, detail: HOSTILE, address: "192.0.2.1" };

const staffPages: [string, (shell: Shell) => VNode][] = [
  [
    "staff's people",
    (shell) => <UsersPage shell={shell} {...listed} items={[{ ...member, name: HOSTILE }]} />,
  ],
  [
    "staff's view of a person",
    (shell) => {
      const user = { ...member, name: HOSTILE, email: HOSTILE, lastSeenAt: null };
      return <AdminUserPage shell={shell} user={user} sessions={1} may="promote" />;
    },
  ],
  [
    "staff's rooms",
    (shell) => {
      const rename = { name: HOSTILE, error: HOSTILE };
      return <AdminRoomsPage shell={shell} {...listed} items={[hall]} rename={rename} />;
    },
  ],
  [
    "staff's messages",
    (shell) => {
      const found = { id: 7, room: "hall" };
      return <MessagesPage shell={shell} typed={HOSTILE} found={found} error={HOSTILE} removed={7} />;
    },
  ],
  [
    "the audit log",
    (shell) => (
      <AuditPage
        shell={shell}
        {...listed}
        action="room.closed"
        items={[{ ...entry, action: "room.closed" }]}
      />
    ),
  ],
];

describe("a page without islands ships no script:", () => {
  const pages: [string, (shell: Shell) => VNode][] = [
    ...staffPages,
    ["the login", (shell) => <LoginPage shell={shell} {...form} />],
    ["a refused login", (shell) => <LoginPage shell={shell} {...form} username={HOSTILE} error={HOSTILE} />],
    ["the registration", (shell) => <RegisterPage shell={shell} {...form} rules="strict" />],
    ["somebody's page", (shell) => userPage({ shell })],
    ...statuses.map((status): [string, (shell: Shell) => VNode] => [
      `status ${status}`,
      (shell) => <NoticePage shell={shell} status={status} />,
    ]),
    ["one's rooms", (shell) => <RoomsPage shell={shell} rooms={[ROOM]} form={NEW_ROOM} />],
    ["the settings of a room", (shell) => settingsPage({ shell })],
    ["an invitation", (shell) => invitationPage(shell)],
  ];

  test.each(pages)("%s", (_, page) => {
    expect(tags(renderToString(roomPage()), "script").length).toBeGreaterThan(0);
    for (const shell of everyShell()) {
      const html = renderToString(page(shell));
      expect(tags(html, "script")).toEqual([]);
      expect(tags(html, "echo-island")).toEqual([]);
    }
  });
});

describe("every page", () => {
  const pages: [string, (shell: Shell) => VNode][] = [
    ["the room", (shell) => roomPage({ shell, draft: shell.user && DRAFT })],
    ["the front page", (shell) => roomPage({ shell, welcome: true, draft: shell.user && DRAFT })],
    [
      "the room's history",
      (shell) => roomPage({ shell, history: { target: { id: 2, mayRemove: true, edit: null } } }),
    ],
    [
      "the page of one's own message",
      (shell) => {
        const edit = { text: "hello", error: "Too long", maxLength: 1000 };
        return roomPage({ shell, history: { target: { id: 2, mayRemove: true, edit } } });
      },
    ],
    ["the login", (shell) => <LoginPage shell={shell} {...form} />],
    ["the registration", (shell) => <RegisterPage shell={shell} {...form} rules="relaxed" />],
    ["one's rooms", (shell) => <RoomsPage shell={shell} rooms={[ROOM]} form={NEW_ROOM} />],
    ["the settings of a room", (shell) => settingsPage({ shell })],
    ["an invitation", (shell) => invitationPage(shell)],
    ["a notice", (shell) => <NoticePage shell={shell} status={404} />],
    ...staffPages,
    ["one's own profile", (shell) => profilePage({ shell: { ...shell, user: ann.user } })],
    ["somebody's page", (shell) => userPage({ shell })],
  ];

  test.each(pages)("has nothing inline that our policy would block: %s", (_, page) => {
    for (const shell of everyShell()) {
      for (const { name, attributes } of tags(renderToString(page(shell)), "*")) {
        const inline = Object.keys(attributes).filter((attribute) =>
          /^(on|style$|hx-on|hx-vals$)/.test(attribute),
        );
        expect([name, inline]).toEqual([name, []]);
        expect(name).not.toBe("style");
        if (name === "script")
          expect(attributes["src"] ?? attributes["type"]).toBeOneOf(["/assets/app.js", "application/json"]);
      }
    }
  });

  test.each(pages)("is in the reader's language, has one main heading and a title: %s", (_, page) => {
    for (const shell of everyShell()) {
      const html = renderToString(page(shell));
      expect(tags(html, "html")[0]?.attributes["lang"]).toBe(shell.locale);
      expect(tags(html, "h1")).toHaveLength(1);
      expect(tags(html, "title")[0]?.text).toEndWith(" · EchoChat");
    }
  });

  test.each(pages)("sends every form but the choice of language with a token: %s", (_, page) => {
    const html = renderToString(page(ann));
    const unsafe = tags(html, 'form[method="post"]').filter(
      ({ attributes }) => attributes["action"] !== "/preferences",
    );
    expect(unsafe.length).toBeGreaterThan(0);
    expect(
      tags(html, 'form input[name="csrfmiddlewaretoken"]').map(({ attributes }) => attributes["value"]),
    ).toEqual(unsafe.map(() => "masked-token"));
  });
});

test("the profile's island holds the very props that the server drew its field with", () => {
  const html = renderToString(profilePage({ ...profileOf(HOSTILE) }));
  expect(html).toContain(renderToString(<PictureField {...dataOf(html, "picture")} />));
});

describe("an island of the room", () => {
  test("holds the very props that the server drew its pane with", () => {
    const html = renderToString(roomPage({ room: { ...ROOM, slug: "public", name: HOSTILE } }));
    const { room, messages, previousAt, reading, t } = dataOf(html, "pane");
    expect(messages).toEqual(MESSAGES);
    const redrawn = (
      <Pane roomName={room.name} messages={messages} previousAt={previousAt} reading={reading} t={t.room} />
    );
    expect(html).toContain(renderToString(redrawn));
  });

  test("holds where its socket goes on from, and for whom", () => {
    const held = { epoch: HOSTILE, rev: 41 };
    expect(dataOf(renderToString(roomPage({ held })), "pane")).toMatchObject({
      held,
      user: null,
      room: { slug: "public" },
    });
    expect(dataOf(renderToString(roomPage({ held, shell: ann })), "pane")).toMatchObject({
      held,
      user: { id: 7, name: "Ann" },
    });
  });

  test("holds the very props that the server drew its composer with", () => {
    const html = renderToString(roomPage({ shell: ann, draft: { ...DRAFT, text: HOSTILE, error: HOSTILE } }));
    const props = dataOf(html, "composer");
    expect(props).toMatchObject({
      text: HOSTILE,
      error: HOSTILE,
      messageKey: DRAFT.messageKey,
      csrf: "masked-token",
    });
    expect(html).toContain(renderToString(<Composer {...props} />));
  });

  test("holds the very props that the server drew the list of those present with", () => {
    const presence = { online: [{ name: HOSTILE, avatar: null }], guests: 2 };
    const html = renderToString(roomPage({ shell: ann, presence, draft: DRAFT }));
    const props = dataOf(html, "presence");
    expect(props).toMatchObject({ present: presence });
    expect(html).toContain(renderToString(<PresenceList {...props} />));
  });

  test("is not there for guests to write with, nor on pages of history", () => {
    expect(islandsOf(renderToString(roomPage({ shell: ann, draft: DRAFT })))).toEqual([
      "presence",
      "pane",
      "composer",
    ]);
    expect(islandsOf(renderToString(roomPage()))).toEqual(["presence", "pane"]);
    expect(islandsOf(renderToString(roomPage({ history: {} })))).toEqual([]);
  });
});

test("what people typed is text wherever a page shows it", () => {
  const shell = {
    ...ann,
    path: `/rooms/public?x=${HOSTILE}`,
    user: { id: 8, name: HOSTILE, avatar: null, isStaff: true, csrf: HOSTILE },
  };
  const plain = (page: VNode) => tags(renderToString(page), "*").map(({ name }) => name);
  const room = { ...ROOM, slug: HOSTILE, name: HOSTILE, topic: HOSTILE };
  const messages = MESSAGES.map((message) => ({ ...message, author: HOSTILE, text: HOSTILE }));
  const draft = { messageKey: HOSTILE, text: HOSTILE, error: HOSTILE, maxLength: 1000 };
  const here = (name: string) => ({ online: [{ name, avatar: HOSTILE }], guests: 1 });
  const held = { epoch: HOSTILE, rev: 3 };
  const hostile = { shell, room, rooms: [room], messages, draft, held, presence: here(HOSTILE) };
  const tame = {
    shell: ann,
    room: ROOM,
    rooms: [ROOM],
    messages: MESSAGES.map((message) => ({ ...message, author: ann.user?.name ?? "", text: "hello" })),
    draft: { ...DRAFT, error: "error" },
    presence: here("ann"),
  };
  expect(plain(roomPage(hostile))).toEqual(plain(roomPage(tame)));
  expect(plain(roomPage({ ...hostile, history: {} }))).toEqual(plain(roomPage({ ...tame, history: {} })));
  const changing = (text: string) => {
    const edit = { text, error: text, maxLength: 1000 };
    return { target: { id: 2, mayRemove: true, edit } };
  };
  expect(plain(roomPage({ ...hostile, history: changing(HOSTILE) }))).toEqual(
    plain(roomPage({ ...tame, history: changing("hello") })),
  );
  const kept = { text: HOSTILE, key: HOSTILE };
  const typed = { csrf: HOSTILE, username: HOSTILE, error: HOSTILE, next: HOSTILE, kept };
  expect(plain(<LoginPage shell={shell} {...typed} />)).toEqual(
    plain(<LoginPage shell={ann} {...form} error="error" kept={{ text: "text", key: "key" }} />),
  );
  const typedRoom = { name: HOSTILE, slug: HOSTILE, error: HOSTILE };
  expect(plain(<RoomsPage shell={shell} rooms={[room]} form={typedRoom} />)).toEqual(
    plain(<RoomsPage shell={ann} rooms={[ROOM]} form={{ ...NEW_ROOM, error: "error" }} />),
  );
  const hostileSettings = { room, members: [{ ...MEMBER, name: HOSTILE }], error: HOSTILE, origin: HOSTILE };
  expect(plain(settingsPage({ shell, ...hostileSettings }))).toEqual(plain(settingsPage({ error: "error" })));
  const person = { ...PERSON, name: HOSTILE, bio: HOSTILE };
  expect(plain(userPage({ shell, person: { ...person, name: "bob" } }))).toEqual(
    plain(userPage({ shell: ann })),
  );
  expect(plain(profilePage({ shell, ...profileOf(HOSTILE) }))).toEqual(
    plain(profilePage({ shell: ann, ...profileOf("hello") })),
  );
});

const PERSON = { name: "bob", avatar: null, bio: "hello", createdAt: 1, lastSeenAt: 2, isStaff: false };

function userPage(props: Partial<UserPageProps> = {}): VNode {
  return <UserPage shell={ann} person={PERSON} {...props} />;
}

function profilePage(props: Partial<ProfilePageProps> = {}): VNode {
  const rest = { errors: {}, sessions: [], done: null, closing: { error: null } };
  const password = { error: null, rules: "strict" } as const;
  return <ProfilePage shell={ann} {...profileOf("hello")} {...rest} password={password} {...props} />;
}

/** Every place for what people type or send, filled with one text. */
function profileOf(text: string) {
  const session = { id: text, address: text, createdAt: 1, agent: { browser: text, system: text } };
  return {
    account: { name: text, avatar: null, createdAt: 1 },
    typed: { username: text, email: text, bio: text },
    errors: { username: text, email: text, bio: text, image: text },
    password: { error: text, rules: "strict" as const },
    closing: { error: text },
    sessions: [
      { ...session, isCurrent: true },
      { ...session, isCurrent: false },
    ],
  };
}

const DRAFT = { messageKey: "abcdefgh", text: "", error: null, maxLength: 1000 };

const MESSAGES: MessageView[] = ["hello", HOSTILE, "see https://example.org/?a=1&b=2."].map((text, i) => {
  const place = i + 1;
  return {
    id: place,
    seq: place,
    rev: place,
    author: i === 1 ? HOSTILE : "ann",
    avatar: null,
    text,
    createdAt: 1_795_339_770_247 + i,
  };
});

function everyShell(): Shell[] {
  return LOCALES.flatMap((locale) =>
    [guest, ann].map((shell) => ({ ...shell, locale, t: catalogs[locale] })),
  );
}

function roomPage(props: Partial<RoomPageProps> = {}): VNode {
  const room = { ...ROOM, slug: "public", name: "Public room", kind: "public" as const };
  const held = { epoch: "epoch", rev: 3 };
  const rest = {
    previousAt: 1,
    mark: null,
    history: null,
    welcome: false,
    rooms: null,
    silence: null,
    presence: null,
    draft: null,
  };
  return <RoomPage shell={guest} room={room} held={held} messages={MESSAGES} {...rest} {...props} />;
}

function settingsPage(props: Partial<RoomSettingsProps> = {}): VNode {
  const lists = { members: [MEMBER], invitations: [INVITATION] };
  const rest = { role: "owner" as const, origin: "https://chat.example.org", error: null };
  return <RoomSettingsPage shell={ann} room={ROOM} {...lists} {...rest} {...props} />;
}

function invitationPage(shell: Shell): VNode {
  const invitation = { roomName: "A room", inviter: "Ann" };
  return <InvitationPage shell={shell} token="1-token" invitation={invitation} />;
}

function islandsOf(html: string): (string | undefined)[] {
  return tags(html, "echo-island").map(({ attributes }) => attributes["name"]);
}

/** The data beside an island, as its script reads it. */
function dataOf(html: string, name: string) {
  let text = "";
  const add = (chunk: { text: string }) => void (text += chunk.text);
  new HTMLRewriter().on(`echo-island[name="${name}"] > script`, { text: add }).transform(html);
  return JSON.parse(text);
}
