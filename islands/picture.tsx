/** The preview of a picture before it is sent: drawn from the file itself, so that no address has to be made for it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { PICTURE_MAX_BYTES } from "../src/shared/limits.ts";
import type { Catalog } from "../src/shared/locale/locale.ts";
import { PictureField, PREVIEW_SIDE, type PictureFieldProps } from "../views/components/picture-field.tsx";
import type { IslandProps } from "./element.ts";

type PictureData = Omit<PictureFieldProps, "preview" | "onChange"> & {
  faults: Pick<Catalog["profile"]["faults"], "pictureTooLarge" | "pictureUnreadable">;
};

export function PictureIsland({ root, faults, ...field }: PictureData & IslandProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [picture, setPicture] = useState<ImageBitmap | null>(null);
  const [error, setError] = useState(field.error);
  useEffect(() => {
    if (picture && canvas.current) drawSquare(canvas.current, picture);
    return () => picture?.close();
  }, [picture]);

  async function look(): Promise<void> {
    const input = root.querySelector("input");
    const file = input?.files?.[0];
    const read = file && (await createImageBitmap(file).catch(() => null));
    // Another one was chosen meanwhile.
    if (input?.files?.[0] !== file) return read?.close();
    setPicture(read ?? null);
    const isTooLarge = file && file.size > PICTURE_MAX_BYTES;
    setError(isTooLarge ? faults.pictureTooLarge : read === null ? faults.pictureUnreadable : null);
  }

  // Whoever was quicker than this script has chosen already.
  useEffect(() => {
    if (root.querySelector("input")?.files?.length) void look();
  }, []);

  return <PictureField {...field} error={error} preview={picture && canvas} onChange={() => void look()} />;
}

/** The middle of the picture, as pages cut it out. */
function drawSquare(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  const side = Math.min(picture.width, picture.height);
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
  const context = canvas.getContext("2d");
  context?.clearRect(0, 0, PREVIEW_SIDE, PREVIEW_SIDE);
  context?.drawImage(picture, left, top, side, side, 0, 0, PREVIEW_SIDE, PREVIEW_SIDE);
}
