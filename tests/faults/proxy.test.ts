import { expect, test } from "bun:test";
import { openProxy } from "./proxy.ts";

const ask = async (url: string) => (await fetch(url, { headers: { connection: "close" } })).text();

test("a connection leads to the first server that takes it", async () => {
  const server = Bun.serve({ port: 0, fetch: () => new Response("here") });
  const gone = Bun.serve({ port: 0, fetch: () => new Response("gone") });
  const proxy = await openProxy();
  proxy.leadTo(() => [gone, server].map(({ url }) => url.href));
  expect(await ask(proxy.url)).toBe("gone");
  await gone.stop(true);
  expect(await ask(proxy.url)).toBe("here");
  proxy.close();
  await server.stop(true);
});

test("what is said while the network is cut arrives when it is mended", async () => {
  const server = Bun.serve({
    port: 0,
    fetch: (request, it) => (it.upgrade(request) ? undefined : new Response("here")),
    websocket: { message: (socket, text) => void socket.send(text) },
  });
  const proxy = await openProxy();
  proxy.leadTo(() => [server.url.href]);
  const heard: string[] = [];
  const socket = new WebSocket(proxy.url.replace("http", "ws"));
  const said = (text: string) =>
    new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => data === text && resolve(heard.push(text)));
      socket.send(text);
    });
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  await said("before");

  proxy.cut();
  const late = [said("meanwhile"), ask(proxy.url)];
  await Bun.sleep(100);
  expect(heard).toEqual(["before"]);
  proxy.mend();
  await Promise.all(late);
  expect(heard).toEqual(["before", "meanwhile"]);
  socket.close();
  proxy.close();
  await server.stop(true);
});
