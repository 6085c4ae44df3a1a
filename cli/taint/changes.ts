import type { Taint } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'

/** The taints to set, and those to take away: of a key, or of a key and an effect. */
export interface TaintChanges {
  set: Taint[]
  remove: { key: string; effect?: string }[]
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const keyShape = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

/** Reads `key=value:Effect`, `key:Effect`, and with a dash at the end what is to go. */
export function parseTaints(words: readonly string[]): TaintChanges {
  const changes: TaintChanges = { set: [], remove: [] }
  for (const word of words) {
    const [body, effect = ''] = word.replace(/-$/, '').split(':')
    const [key = '', value] = (body ?? '').split('=')
    if (!keyShape.test(key))
      throw new CliError(`invalid taint spec: ${word}; write KEY=VALUE:EFFECT, or KEY:EFFECT- to take one away`)
    if (word.endsWith('-')) {
      checkEffect(effect, true)
      changes.remove.push({ key, ...(effect ? { effect } : {}) })
      continue
    }
    if (effect === '') throw new CliError(`invalid taint spec: ${word}; write KEY=VALUE:EFFECT with ${choices}`)
    checkEffect(effect)
    if (changes.set.some((taint) => taint.key === key && taint.effect === effect))
      throw new CliError(`duplicated taints with the same key and effect: ${word}`)
    changes.set.push({ key, ...(value ? { value } : {}), effect })
  }
  const both = changes.set.find(({ key, effect }) =>
    changes.remove.some((gone) => gone.key === key && (gone.effect ?? effect) === effect),
  )
  if (both) throw new CliError(`can not both modify and remove the following taint(s) in the same command: ${both.key}`)
  return changes
}

const choices = `one of ${effects.join(', ')}`

function checkEffect(effect: string, mayMiss = false): void {
  if ((mayMiss && effect === '') || effects.includes(effect)) return
  throw new CliError(`invalid taint effect: ${effect}, unsupported taint effect; choose ${choices}`)
}

const same = (a: Taint, b: { key: string; effect?: string }) => a.key === b.key && a.effect === (b.effect ?? a.effect)

/** The taints a node has then, what has been done of it, and what was to go and is not there. */
export function changedTaints(before: readonly Taint[], { set, remove }: TaintChanges, overwrite: boolean) {
  const missing = remove
    .filter((gone) => !before.some((taint) => same(taint, gone)))
    .map(({ key, effect }) => `taint "${key}${effect ? `:${effect}` : ''}" not found`)
  const kept = before.filter((taint) => ![...set, ...remove].some((change) => same(taint, change)))
  const added = set.length > 0
  const removed = remove.length > missing.length
  const done = (added && removed) || overwrite ? 'modified' : added ? 'tainted' : 'untainted'
  return { taints: [...set, ...kept], done, missing }
}

/** Whether a taint of the same key and effect is there already, with this value or another. */
export const standsInTheWay = (before: readonly Taint[], { set }: TaintChanges): boolean =>
  before.some((taint) => set.some((wanted) => same(taint, { key: wanted.key, effect: wanted.effect })))
