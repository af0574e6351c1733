/** Sockets as Elysia itself offers them: everyone hears the room, and whatever comes in goes out to it. */
import { Elysia } from "elysia";

new Elysia({ websocket: { idleTimeout: 32, perMessageDeflate: false } })
  .ws("/read", {
    open(socket) {
      socket.subscribe("room");
    },
    message(socket, frame) {
      socket.publish("room", frame);
    },
  })
  .listen({ hostname: "127.0.0.1", port: Number(process.env.PORT) });
