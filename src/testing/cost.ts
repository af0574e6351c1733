/** What a piece of work costs: processor time, which a busy machine does not add to; the least of three runs. Milliseconds. */
export async function costOf(work: () => unknown): Promise<number> {
  const costs: number[] = [];
  for (let run = 0; run < 3; run++) {
    const started = process.cpuUsage();
    await work();
    costs.push(process.cpuUsage(started).user / 1000);
  }
  return Math.min(...costs);
}
