/** Runs a verb with the words after its name; resolves to the exit code. */
export async function runVerb(name: string, args: readonly string[]): Promise<number> {
  const [{ run }, { processIo }] = await Promise.all([import('./run.ts'), import('./io.ts')])
  return run(name, args, processIo())
}
