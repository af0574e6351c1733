/**
 * Sessions whose sockets are open here may be over, and memberships of rooms that they hear of, without anybody having
 * told so: another process has written, an account was disabled, two weeks have passed. They are looked at anew, and told if so.
 */
import type { Sessions } from "../accounts/sessions.ts";
import type { Bus, Clock, MemberStore, RoomPlace } from "../chat/ports.ts";
import type { SessionId, UserId } from "../shared/ids.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import type { Hub } from "./hub.ts";
import type { SocketData } from "./socket.ts";

/** Sessions or rooms read in one turn, some 10 µs each; messages go on in between. */
const AT_ONCE = 100;

/** Between a look that failed and the next one. Milliseconds. */
const PAUSE = 1_000;

/** How often sessions whose time has run out are looked for. Milliseconds. */
const EVERY = 10_000;

/** Answers with what ends it. */
export function recheck(deps: {
  bus: Bus;
  clock: Clock;
  hub: Pick<Hub, "sessions" | "sockets" | "served" | "hearers">;
  sessions: Pick<Sessions, "current">;
  members: Pick<MemberStore, "ofRoom">;
  onError: (error: unknown) => void;
  every?: number;
}): () => void {
  const { bus, clock, hub, sessions, members, onError, every = EVERY } = deps;

  async function recheckSessions(ids: readonly SessionId[]): Promise<void> {
    for await (const some of inTurns(ids)) {
      const found = await Promise.all(some.map((id) => sessions.current(id)));
      const over = some.filter((_, at) => found[at] === null);
      if (over.length > 0) bus.publish({ type: "sessions.ended", sessions: over });
    }
  }

  /** Those of the sockets that are such. */
  function recheckSome(isInDoubt: (socket: SocketData) => boolean): void {
    const found = hub.sockets().filter(({ data }) => isInDoubt(data));
    const ids = found.flatMap(({ data: { actor } }) => (actor.kind === "member" ? [actor.session] : []));
    void recheckSessions([...new Set(ids)]).catch(onError);
  }

  function recheckExpired(): void {
    const now = clock.now();
    // One that was renewed is asked for each time, and answered for from memory.
    recheckSome(({ sessionEndsAt }) => sessionEndsAt <= now);
  }

  function recheckAccount(id: UserId): void {
    recheckSome(({ actor }) => actor.kind === "member" && actor.id === id);
  }

  async function recheckMemberships(): Promise<void> {
    const rooms = hub.served().filter(({ slug }) => slug !== PUBLIC_ROOM);
    // Whoever is let in meanwhile is a member, and not asked about.
    for await (const some of inTurns([...hub.hearers(rooms)])) await Promise.all(some.map(recheckRoom));
  }

  async function recheckRoom([{ id: roomId, slug: room }, hearers]: [RoomPlace, Set<UserId>]): Promise<void> {
    const present = (await members.ofRoom(roomId)).filter(({ role }) => role !== "removed");
    for (const { id } of present) hearers.delete(id);
    for (const userId of hearers) bus.publish({ type: "membership.ended", roomId, room, userId });
  }

  let round = 0;

  /** Until it has been done, or is asked for anew. */
  async function recheckAll(own: number): Promise<void> {
    const looks = await Promise.allSettled([recheckSessions(hub.sessions()), recheckMemberships()]);
    const failures = looks.flatMap((look) => (look.status === "rejected" ? [look.reason as unknown] : []));
    for (const failure of failures) onError(failure);
    if (failures.length > 0) await pause();
    if (own !== round) return;
    if (failures.length > 0) return recheckAll(own);
    bus.publish({ type: "rights.known" });
  }

  bus.subscribe((event) => {
    if (event.type === "accounts.reread") void recheckAll(++round);
    // What is being read just now is not the end of it.
    else if (event.type === "rights.unheard") round++;
    else if (event.type === "account.changed") recheckAccount(event.userId);
  });
  const watch = setInterval(recheckExpired, every);

  return () => {
    clearInterval(watch);
    round++;
  };
}

/** Keeps no program from ending. */
function pause(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, PAUSE).unref());
}

async function* inTurns<Item>(items: readonly Item[]): AsyncGenerator<Item[]> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    // The first of these waits let every listener forget what it remembered.
    await new Promise((resolve) => setTimeout(resolve));
    yield items.slice(i, i + AT_ONCE);
  }
}
