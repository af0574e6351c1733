/** The edge: all routes, pages and API alike, and what they share. */
import type { LastSeen } from "../accounts/last-seen.ts";
import { PicturesAway, type Pictures } from "../accounts/ports.ts";
import type { Bus } from "../chat/ports.ts";
import type { Config } from "../config.ts";
import { createAccountForms } from "../http/account-forms.tsx";
import { accountRoutes } from "../http/accounts.tsx";
import { adminRoutes } from "../http/admin.tsx";
import { adminApi } from "../http/api/admin.ts";
import { authApi } from "../http/api/auth.ts";
import { chatApi } from "../http/api/chat.ts";
import { healthApi } from "../http/api/health.ts";
import { profileApi } from "../http/api/profiles.ts";
import { createAssets } from "../http/assets.ts";
import { createCors } from "../http/cors.ts";
import { createEdge } from "../http/edge.ts";
import { createEntrance } from "../http/entrance.ts";
import { createErrorHandler } from "../http/errors.ts";
import { createIdentify } from "../http/identify.ts";
import { invitationRoutes } from "../http/invitations.tsx";
import { mediaRoutes } from "../http/media.ts";
import { messageRoutes } from "../http/messages.ts";
import { myRoomRoutes } from "../http/my-rooms.tsx";
import { createOrigins } from "../http/origin.ts";
import { createPageCache } from "../http/page-cache.ts";
import { preferenceRoutes } from "../http/preference-routes.ts";
import { profileRoutes } from "../http/profiles.tsx";
import { createShell } from "../http/render.tsx";
import { roomSettingsRoutes } from "../http/room-settings.tsx";
import { createRoomPages, roomRoutes } from "../http/rooms.tsx";
import { createServer } from "../http/server.ts";
import { createStaffArea } from "../http/staff-area.ts";
import { createTokens } from "../http/tokens.ts";
import { createUploads } from "../http/uploads.ts";
import type { Log } from "../log.ts";
import type { Doors } from "../metrics/doors.ts";
import { loadBundles, PUBLIC_FILES } from "../resources.ts";
import { socketRoutes } from "../ws/routes.ts";
import type { Cache } from "./cache.ts";
import { clock, type Domain } from "./domain.ts";
import type { Sockets } from "./sockets.ts";
import type { Stores } from "./stores.ts";

export interface WebDeps {
  config: Config;
  stores: Stores;
  pictures: Pictures;
  createLimit: Cache["createLimit"];
  /** Rejects when the database cannot be written. */
  probe: () => Promise<void>;
  probeCache: Cache["probe"];
  domain: Domain;
  sockets: Sockets;
  lastSeen: LastSeen;
  bus: Bus;
  secretKey: string;
  doors: Doors;
  log: Log;
  onFault: (what: string, error: unknown, about?: Record<string, unknown>) => void;
  isStopping: () => boolean;
}

export async function createWeb(deps: WebDeps) {
  const { config, stores, domain, sockets, lastSeen, bus, secretKey, log, onFault, isStopping } = deps;
  const { pictures, createLimit, doors } = deps;
  const { passwordRules, messageMaxLength, pageSize, pageSizeMax } = config;
  const { accounts, audit, sessions } = domain;
  const { directory, audit: auditLog } = stores;

  const origins = createOrigins(config);
  const tokens = createTokens(secretKey);
  const identify = createIdentify({ lastSeen, sessions, tokens, origins });
  const edge = createEdge({ identify, lastSeen, origins, sessions, tokens, audit });

  const rates = {
    login: createLimit("login", config.authRate),
    register: createLimit("register", config.authRate),
  };
  // From all addresses together an account takes more than from one, so that a stranger does not lock it.
  const accountRate = createLimit("account", { ...config.authRate, points: 2 * config.authRate.points });
  const entrance = createEntrance({ accounts, audit, origins, rates, accountRate });
  const staffArea = createStaffArea({ audit, origins });

  const assets = createAssets(await loadBundles());
  const shellOf = createShell(assets);
  const onError = createErrorHandler({ edge, shellOf, onFault, isUnavailable, routes: () => app.routes });
  const cors = createCors(config.cors);
  const cache = createPageCache(bus);
  const server = await createServer({ assets, origins, onError, cors, publicFiles: PUBLIC_FILES, cache });

  const shared = { ...domain, ...entering(doors, "form", domain), edge, shellOf, staffArea };
  const api = { ...shared, ...entering(doors, "rest", domain) };
  const pages = createRoomPages({ ...shared, cache, messageMaxLength });
  const forms = createAccountForms({ edge, shellOf, passwordRules });
  const uploadRate = createLimit("upload", config.uploadRate);
  const editing = { ...shared, loginRate: rates.login, uploads: createUploads(), uploadRate };
  const probes = { database: deps.probe, cache: deps.probeCache };
  const socketRate = createLimit("socket", config.socketRate);
  const handshakes = {
    ...sockets,
    access: domain.access,
    clock,
    identify,
    origins,
    rooms: domain.rooms,
    sessions,
    isStopping,
  };

  const app = server
    .use(roomRoutes(edge, pages))
    .use(messageRoutes({ ...shared, forms, pages, messageMaxLength }))
    .use(accountRoutes({ ...shared, entrance, forms, pages }))
    .use(myRoomRoutes(shared))
    .use(roomSettingsRoutes(shared))
    .use(invitationRoutes(shared))
    .use(profileRoutes({ ...editing, passwordRules }))
    .use(mediaRoutes(pictures))
    .use(adminRoutes({ ...shared, auditLog, directory }))
    .use(preferenceRoutes(edge))
    .use(authApi({ edge, entrance, passwordRules }))
    .use(profileApi(editing))
    .use(adminApi({ ...api, auditLog, directory }))
    .use(healthApi({ clock, log, probes, isStopping }))
    .use(chatApi({ ...api, pageSize, pageSizeMax }))
    .use(socketRoutes({ ...handshakes, rate: socketRate, caps: config.socketCaps }));
  return app;

  function isUnavailable(error: unknown): boolean {
    return stores.isUnavailable(error) || error instanceof PicturesAway;
  }
}

/** The rules as pages or programs reach them. */
function entering(doors: Doors, door: "form" | "rest", domain: Domain) {
  const counted = <Part extends object>(part: Part) => doors.refusing(door, part);
  return {
    access: counted(domain.access),
    rooms: counted(domain.rooms),
    members: counted(domain.members),
    invitations: counted(domain.invitations),
    messages: counted(doors.acknowledging(door, domain.messages)),
    acts: counted(doors.acknowledging(door, domain.acts)),
  };
}
