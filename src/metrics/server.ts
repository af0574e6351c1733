/** `/metrics`, on a port of its own: nothing that the world sees leads here. */

export interface MetricsPlace {
  host: string;
  port: number;
}

/** Prometheus' own name for what it reads. */
const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** Answers with where it listens, and what ends it. */
export function serveMetrics({ host, port }: MetricsPlace, text: () => Promise<string>) {
  const server = Bun.serve({
    hostname: host,
    port,
    reusePort: false,
    development: false,
    async fetch({ url, method }) {
      // Whatever stands in `Host`: it may be no host, or nothing.
      if (URL.parse(url, "http://metrics")?.pathname !== "/metrics")
        return new Response("See /metrics\n", { status: 404 });
      if (method !== "GET") return new Response(null, { status: 405, headers: { allow: "GET" } });
      return new Response(await text(), { headers: { "content-type": TEXT, "cache-control": "no-store" } });
    },
  });
  return { url: String(new URL("/metrics", server.url)), stop: () => server.stop(true) };
}
