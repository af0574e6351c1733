import { openPostgresStores } from "../../testing/stores/postgres.ts";
import { describeMessageStore } from "../../testing/stores/suite.ts";

describeMessageStore("PostgreSQL", openPostgresStores);
