/** Files as their senders name them: the name says nothing of the content, but existing clients expect it to be judged. */
import { codePoints } from "../shared/text.ts";

export interface Upload {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export type NameTooLong = { fault: "name_too_long"; length: number };
export type WrongExtension = { fault: "extension"; extension: string };

const NAME_MAX_LENGTH = 100;

/** Every extension under which a picture was ever accepted, in the order in which refusals list them. */
export const PICTURE_EXTENSIONS =
  "bmp, dib, gif, jfif, jpe, jpg, jpeg, pbm, pgm, ppm, pnm, png, apng, blp, bufr, cur, pcx, dcx, dds, ps, eps, fit, " +
  "fits, fli, flc, ftc, ftu, gbr, grib, h5, hdf, jp2, j2k, jpc, jpf, jpx, j2c, icns, ico, im, iim, mpg, mpeg, tif, " +
  "tiff, mpo, msp, palm, pcd, pdf, pxr, psd, qoi, bw, rgb, rgba, sgi, ras, tga, icb, vda, vst, webp, wmf, emf, xbm, xpm";

const KNOWN = new Set(PICTURE_EXTENSIONS.split(", "));

export function nameTooLong({ name }: Upload): NameTooLong | null {
  const length = codePoints(name);
  return length > NAME_MAX_LENGTH ? { fault: "name_too_long", length } : null;
}

export function wrongExtension({ name }: Upload): WrongExtension | null {
  const extension = /[^.]\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return KNOWN.has(extension) ? null : { fault: "extension", extension };
}
