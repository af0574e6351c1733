/** People with a browser: a cookie jar, the headers that pages send, and forms filled in without scripts. */
import { forms, type Form } from "./html.ts";
import type { Place } from "./world.ts";

export const PASSWORD = "correct horse";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; throws with what came instead. */
  json(): unknown;
  /** The cookie that this answer sets, if it does. */
  cookie(name: string): SetCookie | undefined;
}

export interface SetCookie {
  value: string;
  /** In lower case; those without a value have an empty one. */
  attributes: Record<string, string>;
}

export interface Client {
  place: Place;
  /** Scheme and host that this client's browser shows. */
  origin: string;
  cookies: Map<string, string>;
  /** The `Cookie` header of the next request. */
  cookieHeader(): string;
  /** A request with cookies and nothing else that is not given. */
  request(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: BodyInit },
  ): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** As the page of ours that is open would send it, with its CSRF token and origin. */
  post(path: string, body?: unknown, options?: PostOptions): Promise<Answer>;
  /** As `post`, with PATCH. */
  patch(path: string, body?: unknown, options?: PostOptions): Promise<Answer>;
  /** As `post`, with DELETE. */
  delete(path: string, options?: PostOptions): Promise<Answer>;
  register(name: string, password?: string): Promise<Answer>;
  login(name: string, password?: string): Promise<Answer>;
  logout(): Promise<Answer>;
  /** Opens a page and takes its form: the one for `action`, or the one that has all these fields. */
  openForm(path: string, wanted: { action?: string; fields?: readonly string[] }): Promise<Form>;
  /** Presses the button: the form's own fields, then what was typed. */
  sendForm(form: Form, typed?: Record<string, string>): Promise<Answer>;
  /** Opens a page, fills in the form that has these fields, and presses the button. */
  submit(path: string, typed: Record<string, string>): Promise<Answer>;
  /** Goes where a redirect leads. */
  follow(answer: Answer): Promise<Answer>;
  /** The same browser at another address, such as a server that was started again. */
  moveTo(place: Place): Client;
}

export interface PostOptions {
  as?: "json" | "form" | "multipart";
  /** Added to the usual headers; an empty text takes a header away. */
  headers?: Record<string, string>;
}

export interface ClientOptions {
  /** Reaches the server through a proxy that ends TLS. */
  tls?: boolean;
  /** Sent with every request. */
  headers?: Record<string, string>;
}

/** Somebody who has just opened the page, as the first page of existing clients does. */
export async function guest(place: Place, options?: ClientOptions): Promise<Client> {
  const client = stranger(place, options);
  await client.get("/api/auth/csrf/");
  await client.get("/api/auth/session/");
  return client;
}

/** Somebody with a new account, logged in. */
export async function member(place: Place, name: string, options?: ClientOptions): Promise<Client> {
  const client = await guest(place, options);
  const answer = await client.register(name);
  if (answer.status !== 201) throw new Error(`${name} could not register: ${answer.status} ${answer.text}`);
  return client;
}

/** Somebody without a single cookie. */
export function stranger(place: Place, options: ClientOptions = {}): Client {
  return clientWith(place, options, new Map());
}

function clientWith(place: Place, options: ClientOptions, cookies: Map<string, string>): Client {
  const origin = options.tls ? place.url.replace("http:", "https:") : place.url;
  const always = { ...(options.tls && { "x-forwarded-proto": "https" }), ...options.headers };
  const cookieHeader = () => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");

  function send(
    method: "POST" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    { as = "json", headers = {} }: PostOptions = {},
  ): Promise<Answer> {
    const usual: Record<string, string> = {
      accept: "application/json, text/plain, */*",
      origin: origin,
      "sec-fetch-site": "same-origin",
      ...(as === "json" && body !== undefined && { "content-type": "application/json" }),
      ...(cookies.has("csrftoken") && { "x-csrftoken": cookies.get("csrftoken") ?? "" }),
    };
    const sent = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== "");
    const encoded = encode(body, as);
    return client.request(method, path, {
      headers: Object.fromEntries(sent),
      ...(encoded !== undefined && { body: encoded }),
    });
  }

  const client: Client = {
    place,
    origin,
    cookies,
    cookieHeader,

    async request(method, path, { headers = {}, body } = {}) {
      const sent = new Headers({ ...always, ...headers });
      if (cookies.size > 0 && !sent.has("cookie")) sent.set("cookie", cookieHeader());
      const init: BunFetchRequestInit = { method, headers: sent, redirect: "manual" };
      if (place.ca !== undefined) init.tls = { ca: place.ca };
      if (body !== undefined) init.body = body;
      const response = await fetch(place.url + path, init);
      const answer = await answerOf(response);
      keep(cookies, response.headers);
      return answer;
    },

    get: (path, headers) => client.request("GET", path, headers && { headers }),

    post: (path, body, sending) => send("POST", path, body, sending),
    patch: (path, body, sending) => send("PATCH", path, body, sending),
    delete: (path, sending) => send("DELETE", path, undefined, sending),

    async register(username, password = PASSWORD) {
      await client.get("/api/auth/csrf/");
      return client.post("/api/auth/register/", { username, password1: password, password2: password });
    },

    async login(username, password = PASSWORD) {
      await client.get("/api/auth/csrf/");
      return client.post("/api/auth/login/", { username, password });
    },

    logout: () => client.post("/api/auth/logout/"),

    async openForm(path, { action, fields = [] }) {
      const page = await client.get(path, { accept: "text/html" });
      const form = forms(page.text).find(
        (candidate) =>
          candidate.method === "POST" &&
          (action === undefined || candidate.action === action) &&
          fields.every((field) => candidate.controls.has(field)),
      );
      if (!form)
        throw new Error(`${path} (${page.status}) has no form ${action ?? ""} with ${fields.join(", ")}`);
      return form;
    },

    sendForm: ({ action, filled }, typed = {}) =>
      client.request("POST", action, {
        headers: { accept: "text/html", origin, "sec-fetch-site": "same-origin" },
        body: new URLSearchParams({ ...filled, ...typed }),
      }),

    async submit(path, typed) {
      return client.sendForm(await client.openForm(path, { fields: Object.keys(typed) }), typed);
    },

    follow(answer) {
      const location = answer.headers.get("location");
      if (!location) throw new Error(`${answer.status} leads nowhere`);
      return client.get(location, { accept: "text/html" });
    },

    moveTo: (other) => clientWith(other, options, cookies),
  };
  return client;
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  return {
    status,
    headers,
    text,
    json() {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new Error(`expected JSON, got ${status} ${text.slice(0, 200)}`);
      }
    },
    cookie: (name) => parseSetCookies(headers).get(name),
  };
}

function encode(body: unknown, as: "json" | "form" | "multipart"): BodyInit | undefined {
  if (body === undefined || typeof body === "string") return body;
  if (as === "json") return JSON.stringify(body);
  const fields = Object.entries(body as Record<string, string>);
  if (as === "form") return new URLSearchParams(fields);
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  return form;
}

function keep(cookies: Map<string, string>, headers: Headers): void {
  for (const [name, { value, attributes }] of parseSetCookies(headers)) {
    if (attributes["max-age"] === "0") cookies.delete(name);
    else cookies.set(name, value);
  }
}

function parseSetCookies(headers: Headers): Map<string, SetCookie> {
  const split = (text: string): [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text.trim(), ""] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  };
  return new Map(
    headers.getSetCookie().map((line) => {
      const [pair = "", ...rest] = line.split(";");
      const [name, value] = split(pair);
      const attributes = rest.map(split).map(([key, text]): [string, string] => [key.toLowerCase(), text]);
      return [name, { value, attributes: Object.fromEntries(attributes) }];
    }),
  );
}
