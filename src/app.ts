/** The composition root: everything is made here, once, and handed to whoever needs it. Tests use it too. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createAccounts } from "./accounts/accounts.ts";
import { createAudit } from "./accounts/audit.ts";
import { createLastSeen } from "./accounts/last-seen.ts";
import { createCredentials } from "./accounts/credentials.ts";
import { createPasswords } from "./accounts/passwords.ts";
import { createProfiles } from "./accounts/profiles.ts";
import { createSessions } from "./accounts/sessions.ts";
import { createStanding } from "./accounts/standing.ts";
import { createMemoryBus } from "./bus/memory.ts";
import { createAccess } from "./chat/access.ts";
import { createInvitations } from "./chat/invitations.ts";
import { createMembers } from "./chat/members.ts";
import { createRooms } from "./chat/rooms.ts";
import { createFeed } from "./chat/feed.ts";
import { createMessages } from "./chat/messages.ts";
import { createPresence } from "./chat/presence.ts";
import { createStaffActs } from "./chat/staff.ts";
import type { Config } from "./config.ts";
import { createAccountStore, createSessionStore } from "./db/sqlite/accounts.ts";
import { createAuditLog } from "./db/sqlite/audit.ts";
import { createDirectory } from "./db/sqlite/directory.ts";
import { createInvitationStore } from "./db/sqlite/invitations.ts";
import { createMemberStore } from "./db/sqlite/members.ts";
import { createMessageStore } from "./db/sqlite/messages.ts";
import { openSqlite } from "./db/sqlite/open.ts";
import { createProbe } from "./db/sqlite/probe.ts";
import { createRoomStore } from "./db/sqlite/rooms.ts";
import { watchOtherWriters } from "./db/sqlite/watch.ts";
import { adminRoutes } from "./http/admin.tsx";
import { adminApi } from "./http/api/admin.ts";
import { authApi } from "./http/api/auth.ts";
import { chatApi } from "./http/api/chat.ts";
import { healthApi } from "./http/api/health.ts";
import { profileApi } from "./http/api/profiles.ts";
import { accountRoutes } from "./http/accounts.tsx";
import { createAssets } from "./http/assets.ts";
import { createCors } from "./http/cors.ts";
import { secretText } from "./http/csrf.ts";
import { createEdge } from "./http/edge.ts";
import { createEntrance } from "./http/entrance.ts";
import { createErrorHandler } from "./http/errors.ts";
import { createIdentify } from "./http/identify.ts";
import { invitationRoutes } from "./http/invitations.tsx";
import { mediaRoutes } from "./http/media.ts";
import { messageRoutes } from "./http/messages.ts";
import { myRoomRoutes } from "./http/my-rooms.tsx";
import { createOrigins } from "./http/origin.ts";
import { createPageCache } from "./http/page-cache.ts";
import { preferenceRoutes } from "./http/preference-routes.ts";
import { profileRoutes } from "./http/profiles.tsx";
import { createShell } from "./http/render.tsx";
import { roomSettingsRoutes } from "./http/room-settings.tsx";
import { createRoomPages, roomRoutes } from "./http/rooms.tsx";
import { createSeal } from "./http/seal.ts";
import { createServer } from "./http/server.ts";
import { createStaffArea } from "./http/staff-area.ts";
import { createTokens } from "./http/tokens.ts";
import { createUploads } from "./http/uploads.ts";
import { createMemoryLimit } from "./limits/memory.ts";
import type { Log } from "./log.ts";
import { createPictures } from "./media/pictures.ts";
import { loadBundles, loadCommonPasswords, MIGRATIONS, PUBLIC_FILES } from "./resources.ts";
import { loadSecretKey } from "./secret-key.ts";
import type { ClientKey } from "./shared/ids.ts";
import { createEchoChat } from "./ws/echochat.ts";
import { watchExpiry } from "./ws/expiry.ts";
import { createGateway } from "./ws/gateway.ts";
import { socketHandlers } from "./ws/handlers.ts";
import { createHub } from "./ws/hub.ts";
import { createPagePresence } from "./ws/page-presence.ts";
import { createPresenceSockets } from "./ws/presence.ts";
import { recheckSessions } from "./ws/recheck.ts";
import { socketRoutes } from "./ws/routes.ts";

export interface App {
  /** Where it listens, such as `http://localhost:3000`. */
  url: string;
  /** Every route there is, for whoever checks that none was forgotten. */
  routes: readonly { method: string; path: string }[];
  /** Closes the sockets, ends what is in progress, then the database. */
  stop(): Promise<void>;
}

/** Beyond this Bun itself answers, with an empty 413; our own bounds are far below and say more. Bytes. */
const REQUEST_MAX = 128 * 1024 * 1024;

/** How old the times may be at which people were last seen. Milliseconds. */
const LAST_SEEN_INTERVAL = 10_000;

/** A stop waits this long for requests in progress. Milliseconds. */
const STOP_PATIENCE = 5_000;

const CLOSE_RESTART = 1012;

export async function createApp(config: Config, log: Log): Promise<App> {
  const { passwordRules, messageMaxLength, roomSlug } = config;
  mkdirSync(config.dataDir, { recursive: true });
  const clock = { now: () => Date.now() };
  const secrets = { text: secretText };
  const keys = {
    clientKey: () => secretText(22) as ClientKey,
    slug: () => Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex"),
  };

  const db = openSqlite(join(config.dataDir, "echochat.sqlite"), MIGRATIONS, clock.now());
  const bus = createMemoryBus();
  const limit = ({ points, windowSeconds }: Config["authRate"]) => createMemoryLimit(points, windowSeconds);

  const passwords = createPasswords(passwordRules, loadCommonPasswords);
  const accountStore = createAccountStore(db);
  const accounts = createAccounts({ store: accountStore, passwords, clock });
  const sessions = createSessions({ store: createSessionStore(db), clock, secrets, bus });
  const auditLog = createAuditLog(db);
  const audit = createAudit({ log: auditLog, clock });
  const standing = createStanding({ store: accountStore, sessions, bus, audit });
  const pictures = createPictures(join(config.dataDir, "media"));
  const profiles = createProfiles({ store: accountStore, pictures, bus });
  const credentials = createCredentials({ store: accountStore, passwords, sessions, pictures, bus, clock });

  const store = createMessageStore(db);
  const roomStore = createRoomStore(db);
  const access = createAccess(roomStore);
  const rooms = createRooms({
    store: roomStore,
    bus,
    clock,
    keys,
    rate: limit(config.roomRate),
    slugs: roomSlug,
  });
  const members = createMembers({ store: createMemberStore(db), bus });
  const rate = limit(config.messageRate);
  const messages = createMessages({ store, access, bus, clock, rate, maxLength: messageMaxLength });
  const feed = createFeed(store);

  const acts = createStaffActs({ standing, rooms, messages, store, audit });

  const hub = createHub(bus);
  recheckSessions({ bus, hub, sessions, onError: (error) => log.error("recheck failed", { error }) });
  const presence = createPresence({ clock, bus, ...config.presence });
  const stopExpiry = watchExpiry(presence, clock);
  const pagePresence = createPagePresence({ hub, presence, sessions });
  const presenceSockets = createPresenceSockets({ clock, hub, presence, sessions, ...config.presence });
  const lastSeen = createLastSeen({ store: accountStore, clock, stillHere: pagePresence.members });
  const writeLastSeen = () =>
    lastSeen.flush().catch((error: unknown) => log.error("last seen not stored", { error }));
  const gateway = createGateway({ access, feed, hub, members, messages, presence: pagePresence, sessions });
  const { socketIdleTimeout: idleTimeout } = config;
  const echochat = createEchoChat({
    access,
    clock,
    hub,
    keys,
    messages,
    sessions,
    messageMaxLength,
    idleTimeout,
  });

  const origins = createOrigins(config);
  const secretKey = loadSecretKey(config);
  const tokens = createTokens(secretKey);
  const invitations = createInvitations({
    store: createInvitationStore(db),
    seal: createSeal(secretKey),
    clock,
    rate: limit(config.invitationRate),
  });
  const identify = createIdentify({ lastSeen, sessions, tokens, origins });
  const edge = createEdge({ identify, lastSeen, origins, sessions, tokens, audit });
  const assets = createAssets(await loadBundles());
  const shellOf = createShell(assets);
  const cache = createPageCache(bus);
  const rates = { login: limit(config.authRate), register: limit(config.authRate) };
  const accountRate = limit({ ...config.authRate, points: 2 * config.authRate.points });
  const entrance = createEntrance({ accounts, audit, origins, rates, accountRate });
  const editing = {
    loginRate: rates.login,
    uploads: createUploads(),
    uploadRate: limit(config.uploadRate),
  };
  const staffArea = createStaffArea({ audit, origins });
  const administration = { edge, staffArea, acts, auditLog, directory: createDirectory(db) };
  const pages = createRoomPages({
    access,
    messages,
    rooms,
    feed,
    keys,
    presence,
    shellOf,
    cache,
    messageMaxLength,
  });

  const onError = createErrorHandler({ edge, shellOf, log, routes: () => app.routes });
  const server = await createServer({
    assets,
    origins,
    onError,
    cors: createCors(config.cors),
    publicFiles: PUBLIC_FILES,
  });
  const app = server
    .use(roomRoutes(edge, pages))
    .use(messageRoutes({ edge, staffArea, acts, access, members, messages, keys, pages, messageMaxLength }))
    .use(accountRoutes({ edge, entrance, invitations, shellOf, passwordRules }))
    .use(myRoomRoutes({ edge, rooms, members, profiles, shellOf }))
    .use(roomSettingsRoutes({ edge, access, rooms, members, invitations, shellOf }))
    .use(invitationRoutes({ edge, access, invitations, shellOf }))
    .use(
      profileRoutes({ edge, profiles, credentials, sessions, members, shellOf, passwordRules, ...editing }),
    )
    .use(mediaRoutes(pictures))
    .use(adminRoutes({ ...administration, sessions, shellOf }))
    .use(preferenceRoutes(edge))
    .use(authApi({ edge, entrance, passwordRules }))
    .use(profileApi({ edge, profiles, ...editing }))
    .use(adminApi(administration))
    .use(healthApi({ clock, log, probes: { database: createProbe(db), cache: async () => {} } }))
    .use(
      chatApi({
        edge,
        access,
        messages,
        rooms,
        pageSize: config.pageSize,
        pageSizeMax: config.pageSizeMax,
      }),
    )
    .use(
      socketRoutes({
        clock,
        echochat,
        gateway,
        identify,
        origins,
        presence: presenceSockets,
        rooms,
        rate: limit(config.socketRate),
      }),
    );

  app.listen({
    hostname: config.host,
    port: config.port,
    reusePort: false,
    development: false,
    maxRequestBodySize: REQUEST_MAX,
    // Elysia passes these on to Bun as they are; its type knows only its own kind of socket data.
    websocket: socketHandlers(hub, clock.now, (error) => log.error("socket failed", { error })),
  });
  const listening = app.server;
  if (!listening) throw new Error("the server did not start");
  hub.attach(listening);
  const writing = setInterval(() => void writeLastSeen(), LAST_SEEN_INTERVAL);
  const stopWatching = watchOtherWriters(db, () => bus.publish({ type: "accounts.reread" }));

  return {
    url: `http://${config.host === "127.0.0.1" ? "localhost" : config.host}:${listening.port}`,
    routes: app.routes.map(({ method, path }) => ({ method, path })),
    async stop() {
      clearInterval(writing);
      await writeLastSeen();
      stopWatching();
      echochat.stop();
      hub.closeAll(CLOSE_RESTART, "restarting");
      await Promise.race([listening.stop(), Bun.sleep(STOP_PATIENCE)]);
      // Only now: the sockets that were closed have left, and whoever leaves is told of.
      presenceSockets.stop();
      pagePresence.stop();
      stopExpiry();
      db.$client.close();
    },
  };
}
