/**
 * Preloaded into a server by a test. From SIGUSR2 on the kernel answers each fsync of the thread that holds the database
 * with EIO, as it does when the disk has failed: a seccomp filter, which needs no rights and cannot be taken back.
 */
import { dlopen, ptr, type Pointer } from "bun:ffi";
import { say } from "../log.ts";

/** What a filter looks at, and its verdicts; see linux/seccomp.h and linux/bpf_common.h. */
const [LOAD, EQUAL, RETURN] = [0x20, 0x15, 0x06];
const [ALLOW, FAIL] = [0x7fff0000, 0x00050000];
const EIO = 5;
const NUMBER_OF_CALL = 0;

/** Of fsync and fdatasync. */
const CALLS: Record<string, [number, number]> = { x64: [74, 75], arm64: [82, 83] };

const [PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER] = [38, 22, 2];

function instruction(code: number, ifTrue: number, ifFalse: number, value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint16(0, code, true);
  bytes.setUint8(2, ifTrue);
  bytes.setUint8(3, ifFalse);
  bytes.setUint32(4, value, true);
  return new Uint8Array(bytes.buffer);
}

function failFromNowOn(): void {
  const calls = CALLS[process.arch];
  if (!calls) throw new Error(`the numbers of ${process.arch}'s calls are not known`);
  const [fsync, fdatasync] = calls;
  const steps = [
    instruction(LOAD, 0, 0, NUMBER_OF_CALL),
    instruction(EQUAL, 2, 0, fsync),
    instruction(EQUAL, 1, 0, fdatasync),
    instruction(RETURN, 0, 0, ALLOW),
    instruction(RETURN, 0, 0, FAIL | EIO),
  ];
  const filter = Buffer.concat(steps);
  const program = new DataView(new ArrayBuffer(16));
  program.setUint16(0, steps.length, true);
  program.setBigUint64(8, BigInt(ptr(filter)), true);
  const { symbols } = dlopen("libc.so.6", {
    prctl: { args: ["i32", "u64", "ptr", "u64", "u64"], returns: "i32" },
  });
  const set = (option: number, value: number, pointer: Pointer | null) => {
    if (symbols.prctl(option, value, pointer, 0, 0) !== 0) throw new Error(`prctl ${option} was refused`);
  };
  set(PR_SET_NO_NEW_PRIVS, 1, null);
  set(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ptr(program));
  say("from now on the disk fails");
}

process.on("SIGUSR2", failFromNowOn);
