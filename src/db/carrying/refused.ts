/** Why nothing can be carried into this database, in one line. */
export class TargetRefused extends Error {}
