/** A bare Elysia route: the bytes of a file, with the headers of another, made by a handler like any. */
import { Elysia } from "elysia";

const [bodyFile = "", headersFile = ""] = process.argv.slice(2);
const body = await Bun.file(bodyFile).bytes();
const headers = (await Bun.file(headersFile).json()) as Record<string, string>;

new Elysia()
  .get("/", () => new Response(body, { headers }))
  .listen({ hostname: "127.0.0.1", port: Number(process.env.PORT) });
