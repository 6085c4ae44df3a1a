import type { Verb } from './verb.ts'

/** The kubectl-like verbs: loaded when they are run. */
export const verbs: Record<string, { summary: string; load: () => Promise<Verb> }> = {
  apply: { summary: 'make objects as files describe them', load: async () => (await import('./apply.ts')).apply },
  get: { summary: 'show objects', load: async () => (await import('./get.ts')).get },
  delete: { summary: 'delete objects', load: async () => (await import('./delete.ts')).deleteVerb },
}

/** Runs a verb with the words after its name; resolves to the exit code. */
export async function runVerb(name: string, args: readonly string[]): Promise<number> {
  const [{ run }, { processIo }] = await Promise.all([import('./run.ts'), import('./io.ts')])
  return run(name, args, processIo())
}
