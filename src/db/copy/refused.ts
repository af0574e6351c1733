/** Why nothing was copied, in one line for the person at the terminal. */
export class CopyRefused extends Error {}

/** Nobody knows whether the commit was the last thing that happened. */
export class CopyUndecided extends Error {}
