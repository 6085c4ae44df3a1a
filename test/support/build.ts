/** Builds what the suites start, so that none of them tries out yesterday's server. */
export async function setup(): Promise<void> {
  const { build } = (await import(new URL('../../scripts/build.mjs', import.meta.url).href)) as {
    build: (options: { log: (line: string) => void }) => Promise<boolean>
  }
  await build({ log: (line) => process.stdout.write(`${line}\n`) })
}
