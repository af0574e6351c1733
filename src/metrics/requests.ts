/** Requests by what they ask for and what they got: one clock for all of them, around everything else. */
import type { Registry } from "./registry.ts";

type Handle = (...args: unknown[]) => unknown;

/** Whose answers cost alike. */
const KINDS = [
  ["/api/", "api"],
  ["/ws/", "socket"],
  ["/assets/", "file"],
  ["/media/", "file"],
] as const;

/** Seconds. */
const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** A request that became a socket. */
const SWITCHED = 101;

export function watchRequests(registry: Registry): (handle: Handle) => Handle {
  const answered = registry.counter({
    name: "echochat_http_requests_total",
    help: "Requests answered, by what was asked for and the status.",
    labels: ["kind", "status"],
  });
  const duration = registry.histogram(
    {
      name: "echochat_http_request_duration_seconds",
      help: "From a request to its answer, by what was asked for.",
      labels: ["kind"],
    },
    BOUNDS,
    [["page"], ["api"], ["socket"], ["file"]],
  );

  function note(request: Request, start: number, response: unknown): void {
    const kind = kindOf(request.url);
    const status = response instanceof Response ? response.status : SWITCHED;
    // The framework makes an answer up where the request has become a socket.
    answered.add([kind, String(kind === "socket" && status === 200 ? SWITCHED : status)]);
    duration.observe((performance.now() - start) / 1000, [kind]);
  }

  return (handle) =>
    (request, ...more) => {
      const start = performance.now();
      const answer = handle(request, ...more);
      if (answer instanceof Promise)
        answer.then(
          (response) => note(request as Request, start, response),
          () => {}, // nothing is answered then
        );
      else note(request as Request, start, answer);
      return answer;
    };
}

function kindOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  return KINDS.find(([prefix]) => url.startsWith(prefix, path))?.[1] ?? "page";
}
