/**
 * What the planner may not do. Every list here is a stretch of an index, and what the planner takes to be cheaper while a
 * table is small, or a room of average size, reads the whole of a room that is not: it does not know which room is meant.
 * Where there is no index, what is off is done all the same, and looks so dear that it would be compiled first.
 */
export const PLANS = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_sort: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
} as const;
