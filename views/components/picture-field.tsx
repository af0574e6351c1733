/** Choosing a picture: a field for a file beside the picture so far, or beside a preview where a script draws one. */
import type { Ref } from "preact";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { Avatar } from "./avatar.tsx";
import { Field } from "./field.tsx";

export interface PictureFieldProps {
  name: string;
  avatar: string | null;
  /** Why the last one was refused, in words. */
  error: string | null;
  t: Pick<Catalog["profile"], "picture" | "pictureHint">;
  /** Where the chosen picture is drawn, while there is one. */
  preview?: Ref<HTMLCanvasElement> | null;
  onChange?: (event: Event) => void;
}

/** The pixels of a preview, which is cut to a square as pages show it. */
export const PREVIEW_SIDE = 256;

export function PictureField({ name, avatar, error, t, preview = null, onChange }: PictureFieldProps) {
  return (
    <div class="picture-field">
      {preview ? (
        <canvas class="avatar large" width={PREVIEW_SIDE} height={PREVIEW_SIDE} ref={preview} />
      ) : (
        <Avatar name={name} avatar={avatar} large />
      )}
      <Field
        label={t.picture}
        hint={t.pictureHint}
        error={error}
        type="file"
        name="image"
        accept="image/*"
        onChange={onChange}
      />
    </div>
  );
}
