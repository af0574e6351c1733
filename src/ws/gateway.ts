/** The native protocol: one socket a page for many rooms, numbered, so that a reconnect asks for what it missed. */
import type { Sessions } from "../accounts/sessions.ts";
import { signedIn, type Access, type Actor, type Member } from "../chat/access.ts";
import type { Feed } from "../chat/feed.ts";
import type { Members } from "../chat/members.ts";
import type { Messages, Submitted } from "../chat/messages.ts";
import { Refused } from "../chat/refusal.ts";
import type { StaffActs } from "../chat/staff.ts";
import type { Stored } from "../chat/writer.ts";
import { actorOf } from "../http/identify.ts";
import type { ClientKey, MessageId } from "../shared/ids.ts";
import {
  CLOSE_SESSION_OVER,
  keyIn,
  parseClientFrame,
  type ClientFrame,
  type Held,
  type Refusal,
  type RefusalCode,
  type ServerFrame,
} from "../shared/protocol.ts";
import { createAnswers } from "./answers.ts";
import type { Hub } from "./hub.ts";
import type { PagePresence } from "./page-presence.ts";
import { roomFor, type Protocol, type Socket } from "./socket.ts";
import type { Typing } from "./typing.ts";
import type { Unread } from "./unread.ts";

export interface GatewayDeps {
  access: Access;
  acts: Pick<StaffActs, "submitRemoval">;
  feed: Feed;
  hub: Hub;
  members: Members;
  messages: Messages;
  presence: PagePresence;
  sessions: Sessions;
  typing: Typing;
  unread: Unread;
  onRefused: (code: RefusalCode) => void;
  onError: (error: unknown, socket: Socket) => void;
}

export function createGateway(deps: GatewayDeps): Protocol {
  const { access, acts, feed, hub, members, messages, presence, sessions, typing, unread } = deps;
  const { onRefused, onError } = deps;
  const answers = createAnswers();
  const lastProofs = new WeakMap<Socket, Member>();

  async function greet(socket: Socket, rooms: Held[]): Promise<void> {
    const { actor } = socket.data;
    const { name: user, id } = actor.kind === "member" ? actor : { name: null, id: null };
    send(socket, { type: "welcome", epoch: feed.epoch(), user, id });
    for (const held of rooms) await resume(socket, held);
  }

  /**
   * Each room of a hello is answered for by itself, whatever becomes of the others. One that its reader has lost is told
   * apart by its own frame, so that a page can say so.
   */
  async function resume(socket: Socket, held: Held): Promise<void> {
    const { room } = held;
    try {
      await catchUp(socket, held);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "not_found")
        return refuse(socket, { key: null, room }, error);
      hub.drop(socket, room);
      send(socket, { type: "removed", room, reason: "membership" });
    }
  }

  /** Reads and sends until the socket holds everything published; then, in the same turn, it follows live. */
  async function catchUp(socket: Socket, { room, epoch, rev }: Held): Promise<void> {
    for (let held = rev, wholeAt: number | null = null; ;) {
      const removals = hub.removals();
      const reader = await access.reader(socket.data.actor, room);
      const missed = await feed.catchUp(reader, { epoch, rev: held });
      // Somebody lost a room meanwhile: it may have been this one.
      if (hub.removals() !== removals) continue;
      if ("reset" in missed) return send(socket, { type: "reset", room, reason: missed.reset });
      const { changes, isWhole } = missed;
      if (changes.to > held) send(socket, { type: "changes", room, ...changes });
      held = changes.to;
      if (isWhole && hub.follow(socket, reader.room, held, removals))
        return send(socket, { type: "caught-up", room, rev: held });
      // Whatever has been told was stored before: where a second reading does not find it, the database has lost it.
      if (isWhole && held === wholeAt) throw new Refused("unavailable");
      wholeAt = isWhole ? held : null;
      await roomFor(socket);
      if (socket.readyState !== WebSocket.OPEN) return;
    }
  }

  /** Anything that is not a refusal is a fault of ours, for the log; its sender hears `unavailable`. */
  function refuse(socket: Socket, asked: Pick<Refusal, "key" | "room">, error: unknown): void {
    const known = error instanceof Refused ? error : new Refused("unavailable");
    answers.add(socket, refusalOf(known, asked));
    onRefused(known.code);
    if (known !== error) onError(error, socket);
  }

  /** Whoever is behind the socket, by the rank that they have now; null when their session is over. */
  async function present({ data: { actor } }: Socket): Promise<Actor | null> {
    if (actor.kind === "guest") return actor;
    const current = await sessions.current(actor.session);
    return current && actorOf(current);
  }

  /**
   * What a member writes. The next frame of this socket has its turn when the change has its place among its sender's; the
   * answer comes after the commit.
   */
  async function change(
    socket: Socket,
    { key }: { key: ClientKey },
    submit: (actor: Actor) => Promise<Submitted>,
  ): Promise<void> {
    const actor = await present(socket);
    if (!actor) return socket.close(CLOSE_SESSION_OVER, "session over");
    const acknowledge = ({ room: { slug: room }, message: { id, seq, rev }, repeat }: Stored) =>
      answers.add(socket, { type: "ack", room, key, id, seq, rev, repeat });
    try {
      const { stored } = await submit(actor);
      stored.then(acknowledge, (error: unknown) => refuse(socket, { key }, error));
    } catch (error) {
      refuse(socket, { key }, error);
    }
  }

  const post = (socket: Socket, frame: Extract<ClientFrame, { type: "send" }>) =>
    change(socket, frame, async (actor) => messages.submit(await memberIn(socket, actor, frame.room), frame));

  /**
   * Whoever writes in a room goes on writing there: the proof of the last message is good for the next, because the
   * transaction that stores a message asks for itself whether its author still may.
   */
  async function memberIn(socket: Socket, actor: Actor, room: string): Promise<Member> {
    const last = lastProofs.get(socket);
    if (last?.room.slug === room) return last;
    const member = await access.member(actor, room);
    lastProofs.set(socket, member);
    return member;
  }

  const edit = (socket: Socket, frame: Extract<ClientFrame, { type: "edit" }>) =>
    change(socket, frame, async (actor) =>
      messages.submitEdit(actor, await placed(actor, frame), frame.text),
    );

  const remove = (socket: Socket, frame: Extract<ClientFrame, { type: "remove" }>) =>
    change(socket, frame, async (actor) =>
      acts.submitRemoval(actor, socket.data.address, await placed(actor, frame)),
    );

  /** Refuses guests, and `not_found` for what does not stand in this room. */
  async function placed(actor: Actor, { room, id }: { room: string; id: number }): Promise<MessageId> {
    signedIn(actor);
    await messages.row(await access.reader(actor, room), id as MessageId);
    return id as MessageId;
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
      case "edit":
        return edit(socket, frame);
      case "remove":
        return remove(socket, frame);
      case "typing":
        return typing.show(socket, frame.room);
      case "unread":
        return unread.watch(socket);
      case "read":
        return markRead(socket, frame);
    }
  }

  return {
    numbered: true,
    opened() {},

    async received(socket, text) {
      const frame = parseClientFrame(text);
      if (!frame) return refuse(socket, { key: keyIn(text) }, new Refused("bad_request"));
      try {
        await handle(socket, frame);
      } catch (error) {
        refuse(socket, { key: null }, error);
      }
    },

    closed: presence.hide,
  };
}

/** Says the code and no more. */
function refusalOf(
  { code, retryable, retryAfterSeconds: retryAfter }: Refused,
  asked: Pick<Refusal, "key" | "room">,
): Refusal {
  return { type: "refusal", ...asked, code, retryable, ...(retryAfter !== null && { retryAfter }) };
}

function send(socket: Socket, frame: ServerFrame): void {
  socket.send(JSON.stringify(frame));
}
