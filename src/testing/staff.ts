/** People who look after an installation. */
import { keysOf, nameKey } from "../accounts/names.ts";
import type { AccountChanges } from "../accounts/ports.ts";
import { guest, member, type Client } from "./client.ts";
import { inStores } from "./database.ts";
import type { World } from "./world.ts";

export type Role = "guest" | "member" | "muted" | "staff" | "superuser";

export const ROLES: readonly Role[] = ["guest", "member", "muted", "staff", "superuser"];

const ORDINARY = { isActive: true, isMuted: false, isStaff: false, isSuperuser: false };

const STANDING: Record<Exclude<Role, "guest">, AccountChanges> = {
  member: ORDINARY,
  muted: { ...ORDINARY, isMuted: true },
  staff: { ...ORDINARY, isStaff: true },
  superuser: { ...ORDINARY, isStaff: true, isSuperuser: true },
};

/** Somebody with a browser who is this in the installation, signed in but for a guest. */
export async function someone(
  world: Pick<World, "url" | "dataDir">,
  role: Role,
  name: string,
): Promise<Client> {
  if (role === "guest") return guest(world);
  const client = await member(world, name);
  await standAs(world, role, name);
  // Read anew at a login.
  await client.login(name);
  return client;
}

/** People who never come, for lists that are long. */
export async function addPeople(world: Pick<World, "dataDir">, names: readonly string[]): Promise<void> {
  await inStores(world, async ({ accounts }) => {
    for (const name of names)
      await accounts.create({ name, ...keysOf(name), passwordHash: "none", createdAt: Date.now() });
  });
}

/** Straight into the store: the first of them is nobody's to appoint. The server notices within a second. */
export async function standAs(
  world: Pick<World, "dataDir">,
  role: Exclude<Role, "guest">,
  name: string,
): Promise<void> {
  await inStores(world, async ({ accounts }) => {
    const account = await accounts.byNameKey(nameKey(name));
    if (!account) throw new Error(`${name} has no account`);
    await accounts.update(account.id, STANDING[role]);
  });
}
