/** Whether the numbers of a room are what they say: each from 1 to its head was taken once, by a message or a change of one. */

export interface Numbers {
  /** What is wrong with the next message of the room; null when nothing is. */
  next(seq: number, rev: number): string | null;
  /** The number of the last change so far. */
  head(): number;
}

export function createNumbers(): Numbers {
  let last = 0;
  let head = 0;
  /** A change of a message takes a number beyond its place, and an earlier change of the same message is not to be seen. */
  const changes = new Set<number>();
  return {
    next(seq, rev) {
      if (seq <= last) return `"seq" ${seq} comes after ${last} in its room`;
      if (rev < seq) return `"rev" ${rev} is before "seq" ${seq}`;
      if (seq > head + 1) return `number ${head + 1} of its room is missing before "seq" ${seq}`;
      const twice = [seq, rev].find((number) => changes.has(number));
      if (twice !== undefined) return `number ${twice} of its room is there twice`;
      if (rev > seq) changes.add(rev);
      last = seq;
      head = Math.max(head, rev);
      return null;
    },
    head: () => head,
  };
}
