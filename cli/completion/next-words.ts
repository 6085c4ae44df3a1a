import { Command } from 'commander'
import { pathOf } from '../../client/client.ts'
import { addSharedFlags } from '../flags.ts'
import type { ServedKind } from '../kinds.ts'
import { listMetadata, namespaceFor } from '../objects.ts'
import { otherCommands } from '../other-commands.ts'
import type { Session } from '../session.ts'
import type { Verb, Verbs } from '../verb.ts'

const formats = ['wide', 'yaml', 'kyaml', 'json', 'name', 'jsonpath=', 'go-template=', 'custom-columns=']
/** Verbs that are about pods, called by their names alone. */
const ofPods = new Set(['logs', 'exec', 'attach', 'port-forward', 'cp', 'debug'])
/** Verbs whose words are a kind and names. */
const ofObjects = new Set([
  ...[
    'get',
    'describe',
    'delete',
    'edit',
    'label',
    'annotate',
    'patch',
    'scale',
    'autoscale',
    'expose',
    'wait',
    'tree',
  ],
  ...['history', 'undo', 'diff', 'set', 'rollout', 'explain'],
])
const ofNodes = new Set(['cordon', 'uncordon', 'drain'])

/** The words that may stand in the place of the last one, which may have been begun. */
export async function nextWords(session: Session, words: readonly string[], verbs: Verbs): Promise<string[]> {
  const [name = '', ...args] = words
  if (args.length === 0) return [...Object.keys(verbs).filter((verb) => !verb.startsWith('_')), ...otherCommands].sort()
  const entry = verbs[name]
  if (!entry) return []
  const { verb, rest } = below(await entry.load(), args)
  const current = rest.at(-1) ?? ''
  const previous = rest.at(-2) ?? ''
  if (previous === '-n' || previous === '--namespace') return names(session, 'namespaces')
  if (previous === '-o' || previous === '--output') return formats
  if (['-f', '--filename', '-k', '--kustomize'].includes(previous)) return []
  if (current.startsWith('-')) return flagsOf(verb)
  const plain = rest.filter((word) => !word.startsWith('-'))
  if (verb.verbs && plain.length <= 1) return Object.keys(verb.verbs)
  if (ofNodes.has(name)) return names(session, 'nodes')
  if (ofPods.has(name)) return current.includes('/') ? pairs(session, current) : names(session, 'pods')
  if (!ofObjects.has(name)) return []
  if (current.includes('/')) return pairs(session, current)
  return plain.length <= 1 ? kindNames(session) : names(session, plain[0] ?? '')
}

/** The verb that the words lead to, and what follows it. */
function below(verb: Verb, args: readonly string[]): { verb: Verb; rest: readonly string[] } {
  const next = args.length > 1 ? verb.verbs?.[args[0] ?? ''] : undefined
  return next ? below(next, args.slice(1)) : { verb, rest: args }
}

function flagsOf(verb: Verb): string[] {
  const command = new Command()
  verb.define?.(command)
  addSharedFlags(command)
  return command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : [])).sort()
}

async function kindNames(session: Session): Promise<string[]> {
  const { all } = await session.kinds()
  return [...new Set(all.filter(({ verbs: may }) => may.includes('get')).map(({ plural }) => plural))].sort()
}

/** `deploy/we` becomes `deploy/web`. */
async function pairs(session: Session, word: string): Promise<string[]> {
  const [kind = ''] = word.split('/')
  return (await names(session, kind)).map((name) => `${kind}/${name}`)
}

async function names(session: Session, word: string): Promise<string[]> {
  const kind: ServedKind = (await session.kinds()).named(word)
  const items = await listMetadata(session, pathOf(kind, namespaceFor(session, kind)))
  return items.map(({ metadata }) => metadata.name)
}
