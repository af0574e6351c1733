/** Another process may have ended sessions whose sockets are open here: they are looked at anew, and told if so. */
import type { Sessions } from "../accounts/sessions.ts";
import type { Bus } from "../chat/ports.ts";
import type { Hub } from "./hub.ts";

/** Sessions read in one turn, some 10 µs each; messages go on in between. */
const AT_ONCE = 100;

export function recheckSessions(deps: {
  bus: Bus;
  hub: Pick<Hub, "sessions">;
  sessions: Pick<Sessions, "current">;
  onError: (error: unknown) => void;
}): void {
  const { bus, hub, sessions, onError } = deps;

  async function recheck(): Promise<void> {
    const open = hub.sessions();
    for (let i = 0; i < open.length; i += AT_ONCE) {
      // The first of these waits let every listener forget what it remembered.
      await new Promise((resolve) => setTimeout(resolve));
      const some = open.slice(i, i + AT_ONCE);
      const found = await Promise.all(some.map((id) => sessions.current(id)));
      const over = some.filter((_, at) => found[at] === null);
      if (over.length > 0) bus.publish({ type: "sessions.ended", sessions: over });
    }
  }

  bus.subscribe((event) => {
    if (event.type === "accounts.reread") recheck().catch(onError);
  });
}
