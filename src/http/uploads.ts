/** Forms with a picture in them: large, so that few are in memory at a time. The others wait at the door, unread. */
import type { Server } from "bun";
import type { Upload } from "../accounts/uploads.ts";
import { createTurns } from "../shared/turns.ts";
import { FIELDS_MAX_BYTES, isMultipart, readForm, type Fields } from "./body.ts";

export interface Uploads {
  /** Gives the form to `use`, and holds it only until that is done. Refuses as `readForm` does. */
  read<T>(request: Request, server: Patient, use: (form: UploadForm) => Promise<T>): Promise<T>;
}

export interface UploadForm {
  fields: Fields;
  picture: Upload | null;
}

type Patient = Pick<Server<unknown>, "timeout"> | null;

const CONCURRENT_UPLOADS = 2;

/** Slower senders are cut off, because others wait for them: 350 kB/s for the largest file. Milliseconds. */
const READ_PATIENCE = 60_000;

/** The longest that Bun lets a silent connection wait. Seconds. */
const WAIT_PATIENCE = 255;

/** The field of every form that takes a picture. */
const PICTURE = "image";

export function createUploads(): Uploads {
  const turn = createTurns(CONCURRENT_UPLOADS);

  async function receive<T>(request: Request, use: (form: UploadForm) => Promise<T>): Promise<T> {
    const { fields, files } = await readForm(request, AbortSignal.timeout(READ_PATIENCE));
    const file = files.get(PICTURE);
    const picture = file ? { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) } : null;
    return use({ fields, picture });
  }

  return {
    async read(request, server, use) {
      if (!mayBeLarge(request)) return receive(request, use);
      server?.timeout(request, WAIT_PATIENCE);
      return turn(() => receive(request, use));
    },
  };
}

function mayBeLarge(request: Request): boolean {
  const announced = request.headers.get("content-length");
  return isMultipart(request) && (announced === null || Number(announced) > FIELDS_MAX_BYTES);
}
