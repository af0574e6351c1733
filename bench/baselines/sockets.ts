/** The least that fan-out takes: whatever comes in goes out to all readers, with a word back to the sender. */
const server: Bun.Server<{ reads: boolean }> = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  fetch: (request) =>
    server.upgrade(request, { data: { reads: request.url.endsWith("/read") } })
      ? undefined
      : new Response(null, { status: 426 }),
  websocket: {
    data: {} as { reads: boolean },
    perMessageDeflate: false,
    idleTimeout: 32, // seconds, as ours: the same pings
    open(socket) {
      if (socket.data.reads) socket.subscribe("room");
    },
    message(socket, frame) {
      server.publish("room", frame);
      socket.send("ack");
    },
  },
});
