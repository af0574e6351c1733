/** People as existing clients know them. */
import type { Account } from "../../accounts/ports.ts";
import { avatarUrl } from "../../shared/media.ts";
import { isoMicroseconds } from "../../shared/time.ts";

export function userView({ name, email, avatar, bio, createdAt }: Account, origin: string) {
  return {
    username: name,
    email,
    profileImage: avatarUrl(avatar, origin),
    bio,
    registeredAt: isoMicroseconds(createdAt),
  };
}

/** Whoever is signed in learns what they may do as well. */
export function sessionUserView(account: Account, origin: string) {
  const { isStaff, isSuperuser } = account;
  return { ...userView(account, origin), is_staff: isStaff, is_superuser: isSuperuser };
}
