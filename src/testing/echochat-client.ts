/** What EchoChat's own browser client asks for, in its order, and what it keeps of the answers. */
import { stranger, type Answer, type Client } from "./client.ts";
import { openChat, openSocket, type ChatFrame, type Socket } from "./socket.ts";
import type { Place } from "./world.ts";

export interface User {
  username: string;
  email: string;
  profileImage: string | null;
  bio: string;
  registeredAt: string | null;
}

export interface Shown {
  username: string;
  content: string;
}

export interface PresenceFrame {
  type?: string;
  online?: { username: string; profileImage: string | null }[];
  guests?: number;
}

export interface EchoChatClient {
  client: Client;
  /** Null for a guest. */
  user(): User | null;
  presence(): Socket<PresenceFrame>;
  register(username: string, password: string): Promise<Answer>;
  login(username: string, password: string): Promise<Answer>;
  logout(): Promise<void>;
  /** The last messages of the public room, and its socket. */
  home(): Promise<OpenRoom>;
  /** Draws a slug, and another one while the server says that it is somebody's. */
  createRoom(): Promise<string>;
  room(slug: string): Promise<OpenRoom>;
  saveProfile(fields: { username: string; email: string; bio: string; image?: File }): Promise<Answer>;
  userPage(name: string): Promise<User | null>;
  leave(): void;
}

export interface OpenRoom {
  /** Null when the details or the messages could not be loaded: the page then says so. */
  details: { slug: string; name: string; createdBy: string | null } | null;
  shown: Shown[];
  live: Socket<ChatFrame>;
  say(text: string): void;
  /** Prepends the page before; false at the beginning of history. */
  scrollUp(): Promise<boolean>;
}

const CREATE_ATTEMPTS = 3;
const HOME_MESSAGES = 4;
const ROOM_MESSAGES = 50;

interface HistoryPage {
  messages: { id: number; username: string; content: string; profilePic: string | null; createdAt: string }[];
  pagination?: { hasMore: boolean; nextBefore: number | null };
}

/** Opens the page: the session first, then presence. */
export async function openEchoChat(place: Place): Promise<EchoChatClient> {
  const client = stranger(place);
  let user: User | null = null;
  let presence: Socket<PresenceFrame>;

  const read = (path: string) => client.get(`/api/${path}`, { accept: "application/json, text/plain, */*" });
  const write = (path: string, body?: unknown) => client.post(`/api/${path}`, body);

  async function connectPresence(): Promise<void> {
    presence = await openSocket<PresenceFrame>(client, `/ws/presence/?auth=${user ? 1 : 0}`);
    presence.send({ type: "ping", ts: Date.now() });
  }

  async function enter(answer: Answer): Promise<Answer> {
    const entered = (answer.json() as { user?: User | null }).user;
    if (answer.status >= 400 || !entered) return answer;
    user = entered;
    presence.close();
    await connectPresence();
    return answer;
  }

  async function open(slug: string, limit: number, detailsPath: string): Promise<OpenRoom> {
    const history = `chat/rooms/${slug}/messages/?limit=${limit}`;
    const [details, page, live] = await Promise.all([
      read(detailsPath),
      read(history),
      openChat(client, slug),
    ]);
    const loaded = details.status === 200 && page.status === 200;
    const first = loaded ? (page.json() as HistoryPage) : { messages: [] };
    let { pagination } = first;
    const room: OpenRoom = {
      details: loaded ? (details.json() as OpenRoom["details"]) : null,
      shown: first.messages.map(shownOf),
      live,
      say: (text) =>
        live.send({ message: text, username: user?.username, profile_pic: user?.profileImage, room: slug }),
      async scrollUp() {
        if (!pagination?.hasMore) return false;
        const older = (await read(`${history}&before=${pagination.nextBefore}`)).json() as HistoryPage;
        room.shown.unshift(...older.messages.map(shownOf));
        pagination = older.pagination;
        return true;
      },
    };
    return room;
  }

  await read("auth/csrf/");
  user = ((await read("auth/session/")).json() as { user: User | null }).user;
  await connectPresence();

  return {
    client,
    user: () => user,
    presence: () => presence,

    async register(username, password) {
      await read("auth/password-rules/");
      await read("auth/csrf/");
      return enter(await write("auth/register/", { username, password1: password, password2: password }));
    },

    async login(username, password) {
      await read("auth/csrf/");
      return enter(await write("auth/login/", { username: username.trim(), password }));
    },

    async logout() {
      await write("auth/logout/");
      user = null;
      presence.close();
      await connectPresence();
    },

    async home() {
      const { slug } = (await read("chat/public-room/")).json() as { slug: string };
      return open(slug, HOME_MESSAGES, "chat/public-room/");
    },

    async createRoom() {
      for (let attempt = 0; attempt < CREATE_ATTEMPTS; attempt++) {
        const slug = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
        const answer = await read(`chat/rooms/${slug}/`);
        if (answer.status === 200 && (answer.json() as { created: boolean }).created) return slug;
      }
      throw new Error("no slug was free");
    },

    room: (slug) => open(slug, ROOM_MESSAGES, `chat/rooms/${slug}/`),

    async saveProfile({ username, email, bio, image }) {
      await read("auth/csrf/");
      const form = new FormData();
      form.append("username", username);
      form.append("email", email);
      if (image) form.append("image", image);
      form.append("bio", bio);
      const token = client.cookies.get("csrftoken") ?? "";
      const headers = { origin: client.origin, "x-csrftoken": token };
      const answer = await client.request("POST", "/api/auth/profile/", { headers, body: form });
      if (answer.status === 200) user = (answer.json() as { user: User }).user;
      return answer;
    },

    async userPage(name) {
      const answer = await read(`auth/users/${encodeURIComponent(name)}/`);
      return answer.status === 200 ? (answer.json() as { user: User }).user : null;
    },

    leave: () => presence.close(),
  };
}

function shownOf({ username, content }: HistoryPage["messages"][number]): Shown {
  return { username, content };
}
