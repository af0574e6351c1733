/** The storage of `s3.ts`: its port, the folder it lies in and its bucket are on the command line. */
// @ts-expect-error It comes without types.
import S3rver from "@20minutes/s3rver";

const [port, directory, name] = process.argv.slice(2);
const server = new S3rver({
  address: "127.0.0.1",
  port: Number(port),
  directory,
  silent: true,
  configureBuckets: [{ name }],
});
await server.run();
