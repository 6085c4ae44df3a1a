import type { ControllerEntry } from './types.ts'

/**
 * The entries that `--controllers` asks for: `*` for all that are on by default, a name or its older alias for one more,
 * `-name` for one less; the last word on a name counts. Throws an Error that lists the names for one that is none.
 */
export function selectControllers(entries: readonly ControllerEntry[], words: readonly string[]): ControllerEntry[] {
  const wanted = new Map<ControllerEntry, boolean>()
  let all = false
  for (const word of words) {
    if (word === '*') {
      all = true
      continue
    }
    const off = word.startsWith('-')
    const name = off ? word.slice(1) : word
    const entry = entries.find((candidate) => candidate.name === name || candidate.alias === name)
    if (!entry) {
      const names = entries.map((candidate) => candidate.name).join(', ')
      throw new Error(`--controllers: there is no controller ${JSON.stringify(name)}; there are ${names}`)
    }
    wanted.set(entry, !off)
  }
  return entries.filter((entry) => wanted.get(entry) ?? (all && !entry.offByDefault))
}
