/** The native protocol: one socket a page for many rooms, numbered, so that a reconnect asks for what it missed. */
import type { Sessions } from "../accounts/sessions.ts";
import type { Access } from "../chat/access.ts";
import type { Feed } from "../chat/feed.ts";
import type { Members } from "../chat/members.ts";
import type { Messages } from "../chat/messages.ts";
import { Refused } from "../chat/refusal.ts";
import {
  CLOSE_SESSION_OVER,
  parseClientFrame,
  type ClientFrame,
  type Held,
  type ServerFrame,
} from "../shared/protocol.ts";
import type { Hub } from "./hub.ts";
import type { PagePresence } from "./page-presence.ts";
import type { Protocol, Socket } from "./socket.ts";
import type { Unread } from "./unread.ts";

export interface GatewayDeps {
  access: Access;
  feed: Feed;
  hub: Hub;
  members: Members;
  messages: Messages;
  presence: PagePresence;
  sessions: Sessions;
  unread: Unread;
}

export function createGateway(deps: GatewayDeps): Protocol {
  const { access, feed, hub, members, messages, presence, sessions, unread } = deps;

  async function greet(socket: Socket, rooms: Held[]): Promise<void> {
    const { actor } = socket.data;
    const user = actor.kind === "member" ? actor.name : null;
    send(socket, { type: "welcome", epoch: feed.epoch(), user });
    for (const held of rooms) await resume(socket, held);
  }

  /** A room that its reader has lost is told apart by its own frame, so that a page can say so. */
  async function resume(socket: Socket, held: Held): Promise<void> {
    try {
      await catchUp(socket, held);
    } catch (refused) {
      if (!(refused instanceof Refused) || refused.code !== "not_found") throw refused;
      send(socket, { type: "removed", room: held.room, reason: "membership" });
    }
  }

  /** Reads and sends until the socket holds everything published; then, in the same turn, it follows live. */
  async function catchUp(socket: Socket, { room, epoch, rev }: Held): Promise<void> {
    for (let held = rev; ;) {
      const removals = hub.removals();
      const reader = await access.reader(socket.data.actor, room);
      const missed = await feed.catchUp(reader, { epoch, rev: held });
      if ("reset" in missed) return send(socket, { type: "reset", room, reason: missed.reset });
      const { changes } = missed;
      if (changes.to > held) send(socket, { type: "changes", room, ...changes });
      held = changes.to;
      if (hub.follow(socket, reader.room.id, held, removals)) return;
    }
  }

  async function post(
    socket: Socket,
    { room, key, text }: Extract<ClientFrame, { type: "send" }>,
  ): Promise<void> {
    const { actor } = socket.data;
    if (actor.kind === "member" && !(await sessions.current(actor.session))) {
      return socket.close(CLOSE_SESSION_OVER, "session over");
    }
    try {
      const member = await access.member(actor, room);
      const { message, repeat } = await messages.post(member, { key, text });
      const { id, seq, rev } = message;
      send(socket, { type: "ack", room, key, id, seq, rev, repeat });
    } catch (refused) {
      refuse(socket, key, refused);
    }
  }

  async function markRead(
    { data: { actor } }: Socket,
    { room, seq }: Extract<ClientFrame, { type: "read" }>,
  ) {
    if (actor.kind === "guest") return;
    await members.markRead(await access.reader(actor, room), actor.id, seq);
  }

  function handle(socket: Socket, frame: ClientFrame): Promise<void> {
    switch (frame.type) {
      case "hello":
        return greet(socket, frame.rooms);
      case "presence":
        return presence.show(socket);
      case "resume":
        return resume(socket, frame);
      case "send":
        return post(socket, frame);
      case "unread":
        return unread.watch(socket);
      case "read":
        return markRead(socket, frame);
    }
  }

  return {
    opened() {},

    async received(socket, text) {
      const frame = parseClientFrame(text);
      try {
        if (!frame) throw new Refused("bad_request");
        await handle(socket, frame);
      } catch (refused) {
        refuse(socket, null, refused);
      }
    },

    closed: presence.hide,
  };
}

/** Answers with the code alone; anything that is not a refusal goes on to be logged. */
function refuse(socket: Socket, key: string | null, refused: unknown): void {
  const known = refused instanceof Refused ? refused : new Refused("unavailable");
  const { code, retryable, retryAfterSeconds: retryAfter } = known;
  send(socket, { type: "refusal", key, code, retryable, ...(retryAfter !== null && { retryAfter }) });
  if (known !== refused) throw refused;
}

function send(socket: Socket, frame: ServerFrame): void {
  socket.send(JSON.stringify(frame));
}
