/** Who is here, kept current over the page's socket; asking for it also says that the reader is here. */
import { useEffect, useState } from "preact/hooks";
import { PresenceList, type PresenceProps } from "../views/components/presence.tsx";
import type { IslandProps } from "./element.ts";
import { joinPageSocket } from "./page-socket.ts";

export function PresenceIsland({ present: drawn, locale, t }: PresenceProps & IslandProps) {
  const [present, setPresent] = useState(drawn);
  useEffect(() => {
    const socket = joinPageSocket({
      opened: () => void socket.send({ type: "presence" }),
      received: (frame) => void (frame.type === "presence" && setPresent(frame)),
      lost() {},
    });
    return socket.close;
  }, []);
  return <PresenceList present={present} locale={locale} t={t} />;
}
