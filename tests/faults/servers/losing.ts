/** A hub whose changes reach nobody between one SIGUSR2 and the next. */
import { createHub, type Publisher } from "../../../src/ws/hub.ts";
import type { Parts } from "../../../src/app.ts";

export const createLosingHub: Parts["createHub"] = (bus) => {
  let isLosing = false;
  process.on("SIGUSR2", () => (isLosing = !isLosing));
  const losing = (publisher: Publisher): Publisher => ({
    publish(topic, frame, compress) {
      if (!isLosing) publisher.publish(topic, frame, compress);
    },
    subscriberCount: (topic) => publisher.subscriberCount(topic),
  });
  const hub = createHub(bus);
  return { ...hub, attach: (publisher) => hub.attach(losing(publisher)) };
};
