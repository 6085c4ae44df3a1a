/**
 * Calls `work` `count` times, in batches of 1, 2, 4, … at once: where the first fails, so would all the others. Stops after a
 * batch with a failure. Resolves to the successes and the first error.
 */
export async function slowStart(
  count: number,
  work: () => Promise<void>,
): Promise<{ successes: number; error: unknown }> {
  let successes = 0
  for (let size = 1, left = count; left > 0; left -= size, size *= 2) {
    size = Math.min(size, left)
    const results = await Promise.allSettled(Array.from({ length: size }, work))
    const failed = results.filter((result) => result.status === 'rejected')
    successes += size - failed.length
    if (failed[0]) return { successes, error: failed[0].reason }
  }
  return { successes, error: undefined }
}
