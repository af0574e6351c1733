import { describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { methodsFor } from "./errors.ts";

const ok = () => "";

const { routes } = new Elysia()
  .get("/", ok)
  .get("/login", ok)
  .post("/login", ok)
  .get("/rooms/:slug", ok)
  .post("/rooms/:slug/messages", ok)
  .get("/rooms/:slug/messages/:id", ok)
  .get("/api/auth/csrf/", ok)
  .get("/api/auth/register/", ok)
  .post("/api/auth/register/", ok)
  .get("/api/chat/rooms/*", ok)
  .get("/manifest.webmanifest", ok)
  .get("/a+b(c)", ok);

describe("the methods of a path", () => {
  test.each([
    ["/", "GET"],
    ["/login", "GET POST"],
    ["/login/", "GET POST"],
    ["/rooms/public", "GET"],
    ["/rooms/%D0%B9", "GET"],
    ["/rooms/public/messages", "POST"],
    ["/rooms/public/messages/12", "GET"],
    ["/api/auth/csrf/", "GET"],
    ["/api/auth/csrf", "GET"],
    ["/api/auth/register/", "GET POST"],
    ["/api/chat/rooms/public/", "GET"],
    ["/api/chat/rooms/public/messages/", "GET"],
    ["/api/chat/rooms/a/b/c", "GET"],
    ["/manifest.webmanifest", "GET"],
    ["/a+b(c)", "GET"],
  ])("%s are %s", (path, methods) => {
    expect(methodsFor(routes, path).join(" ")).toBe(methods);
  });

  test.each([
    "/nothing",
    "/loginx",
    "/xlogin",
    "/LOGIN",
    "/login/x",
    "/rooms",
    "/rooms/",
    "/rooms//",
    "/rooms/a/b",
    "/rooms/a/messages/1/2",
    "/api",
    "/api/auth/",
    "/api/chat/rooms",
    "/api/chat/rooms/",
    "//",
    "/manifestXwebmanifest",
    "/aab(c)",
    "/abc",
  ])("%s are none, because there is no such path", (path) => {
    expect(methodsFor(routes, "/login")).not.toEqual([]);
    expect(methodsFor(routes, path)).toEqual([]);
  });
});
