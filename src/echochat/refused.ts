/** Why an import cannot be, in one line for the person at the terminal. */
export class ImportRefused extends Error {}
