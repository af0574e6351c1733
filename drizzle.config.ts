import { defineConfig } from "drizzle-kit";

/** Both dialects have the same tables: a change of them needs a migration for each. */
const dialect = process.env["DIALECT"] === "postgres" ? "postgres" : "sqlite";

export default defineConfig({
  dialect: dialect === "postgres" ? "postgresql" : "sqlite",
  schema: `./src/db/${dialect}/schema.ts`,
  out: `./drizzle/${dialect}`,
});
