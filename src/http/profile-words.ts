/** What is wrong with a form about an account, in the reader's language. */
import type { ClosingFault, NewPasswordFault } from "../accounts/credentials.ts";
import type { ProfileFaults } from "../accounts/profiles.ts";
import { BIO_MAX_LENGTH } from "../shared/limits.ts";
import { fill, number } from "../shared/locale/format.ts";
import type { Shell } from "../../views/components/layout.tsx";
import type { ProfilePageProps } from "../../views/pages/profile.tsx";

type Field<Name extends keyof ProfileFaults> = NonNullable<ProfileFaults[Name]>;

export function profileWords(
  { username, email, bio, image }: ProfileFaults,
  { t: { account, profile }, locale }: Pick<Shell, "t" | "locale">,
): ProfilePageProps["errors"] {
  const { faults } = profile;
  const bad_characters = faults.badCharacters;
  const names: Record<Field<"username">["fault"], string> = {
    blank: account.faults.nameMissing,
    characters: account.faults.nameCharacters,
    too_long: account.faults.nameTooLong,
    taken: account.faults.nameTaken,
    bad_characters,
  };
  const emails: Record<Field<"email">["fault"], string> = {
    bad_address: faults.emailWrong,
    taken: faults.emailTaken,
    bad_characters,
  };
  const bios: Record<Field<"bio">["fault"], string> = {
    too_long: fill(faults.bioTooLong, { n: number(locale, BIO_MAX_LENGTH) }),
    bad_characters,
  };
  const images: Record<Field<"image">["fault"], string> = {
    empty: faults.pictureEmpty,
    unreadable: faults.pictureUnreadable,
    too_many_pixels: faults.pictureTooManyPixels,
    unavailable: faults.pictureUnavailable,
    name_too_long: faults.pictureName,
    extension: faults.pictureExtension,
  };
  return {
    ...(username && { username: names[username.fault] }),
    ...(email && { email: emails[email.fault] }),
    ...(bio && { bio: bios[bio.fault] }),
    ...(image && { image: images[image.fault] }),
  };
}

export function passwordWords(fault: NewPasswordFault, { account, profile }: Shell["t"]): string {
  return {
    wrong: profile.faults.passwordWrong,
    missing: account.faults.passwordMissing,
    differ: account.faults.passwordsDiffer,
    weak: account.faults.passwordWeak,
  }[fault];
}

export function closingWords(fault: ClosingFault, { profile: { faults } }: Shell["t"]): string {
  return { wrong: faults.passwordWrong, unconfirmed: faults.closingUnconfirmed }[fault];
}
