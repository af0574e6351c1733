import { smallAvatar } from "../../src/shared/media.ts";
import { classes } from "./classes.ts";

export interface AvatarProps {
  name: string;
  /** Path below /media/, or null for the drawn default. */
  avatar: string | null;
  large?: boolean;
}

/** Somebody's picture; by default the first letter of the name on one of twelve colours, both from the name. */
export function Avatar({ name, avatar, large = false }: AvatarProps) {
  if (avatar !== null) return <Picture path={avatar} large={large} />;
  const letter = String.fromCodePoint(name.toUpperCase().codePointAt(0) ?? QUESTION_MARK);
  return (
    <span class={classes("avatar", large && "large", `hue${hue(name)}`)} aria-hidden="true">
      {letter}
    </span>
  );
}

/** Always beside the name that it would have to say. */
function Picture({ path, large }: { path: string; large: boolean }) {
  const side = large ? 256 : 64;
  return (
    <img
      class={classes("avatar", large && "large")}
      src={`/media/${encodeURI((large ? path : smallAvatar(path)).toWellFormed())}`}
      alt=""
      width={side}
      height={side}
      loading={large ? "eager" : "lazy"}
    />
  );
}

const HUES = 12;
const QUESTION_MARK = 63;

function hue(name: string): number {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) % 9973;
  return sum % HUES;
}
