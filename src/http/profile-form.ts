import type { ProfileForm } from "../accounts/profiles.ts";
import type { UploadForm } from "./uploads.ts";

/** The fields of a profile, whether a page's form or an API client sent them. */
export function profileFormOf({ fields, picture }: UploadForm): ProfileForm {
  const text = (name: "username" | "email" | "bio") => fields.get(name) ?? "";
  return { username: text("username"), email: text("email"), bio: text("bio"), picture };
}
