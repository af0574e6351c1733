/** Everything that is counted, in the order in which it is told. */
import { countDoors } from "./doors.ts";
import { watchMachine } from "./machine.ts";
import { watchLimits, watchParts, type Watched } from "./parts.ts";
import { createRegistry } from "./registry.ts";
import { watchRequests } from "./requests.ts";
import { serveMetrics, type MetricsPlace } from "./server.ts";
import { watchState, type Sources } from "./state.ts";

export function createMeters() {
  const registry = createRegistry();
  const doors = countDoors(registry);
  const limits = watchLimits(registry);
  const requests = watchRequests(registry);
  const stopTimer = watchMachine(registry);
  let stopServing = () => {};

  return {
    parts: <Parts extends Watched>(parts: Parts) => watchParts(registry, parts),
    limits,
    doors,
    requests,

    serve(place: MetricsPlace, sources: Sources): { url: string } {
      const look = watchState(registry, sources);
      const { url, stop } = serveMetrics(place, async () => {
        await look();
        return registry.text();
      });
      stopServing = () => void stop();
      return { url };
    },

    stop() {
      stopTimer();
      stopServing();
    },
  };
}
