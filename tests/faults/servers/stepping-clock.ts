/** A server whose clock jumps at each SIGUSR2. */
import { serve } from "./serve.ts";

const HOUR = 3_600_000;
const STEPS = [-HOUR, HOUR, -1, 60_000, -24 * HOUR];

const now = Date.now.bind(Date);
let steps = 0;
let offset = 0;
Date.now = () => now() + offset;

process.on("SIGUSR2", () => {
  offset = STEPS[steps++ % STEPS.length] ?? 0;
});
await serve();
