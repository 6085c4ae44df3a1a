import type { EnvVar } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'
import { collect, collectList, optionalValue } from '../flags.ts'
import { textOf } from '../manifests.ts'
import { getObject, type NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'
import { parseTargets } from '../targets.ts'
import { referenceText, resolvedValue, type Values } from './references.ts'
import {
  addContainersFlag,
  addSelectorFlag,
  chosenContainers,
  podSpecOrThrow,
  type SetFlags,
  setting,
} from './setting.ts'

interface EnvFlags extends SetFlags {
  containers: string
  env?: string[]
  from?: string
  keys?: string[]
  prefix?: string
  overwrite: string
  resolve?: boolean
}

/** What is set, and what taken away. */
export interface EnvChanges {
  set: readonly EnvVar[]
  remove: readonly string[]
}

export const env = setting<EnvFlags>({
  summary: 'the variables of containers',
  usage: '(-f FILE | TYPE/NAME | TYPE --all | TYPE -l LABELS) NAME=VALUE... NAME-...',
  examples: [
    'gantry set env deployment/web COLOR=blue OLD-',
    'gantry set env deployment/web --from=configmap/settings --prefix=APP_',
    'gantry set env deployment/web --list --resolve',
  ],
  done: 'env updated',
  define: (command) =>
    void addContainersFlag(addSelectorFlag(command))
      .option('-e, --env <name=value>', 'a variable, as among the words; may be repeated', collect)
      .option('--from <type/name>', 'a variable for each key of this config map or secret')
      .option('--keys <keys>', 'with --from: only these', collectList)
      .option('--prefix <text>', 'before the name of each variable that is set')
      .addOption(optionalValue('--overwrite', 'with =false: what has another value already is refused', 'true'))
      .option('--list', 'show what there is, with the changes; nothing is changed')
      .option('--resolve', 'with --list: the values that config maps, secrets and fields have'),
  async parse(session, args, flags) {
    if (flags.list && flags.output) throw new CliError('--list and --output may not be specified together')
    if (flags.keys && !flags.from)
      throw new CliError('when specifying --keys, a configmap or secret must be provided with --from')
    const { words, changes } = await changesOf(session, args, flags)
    const overwrite = flags.overwrite !== 'false'
    const change = (object: NamedObject) => {
      const pattern = flags.containers
      if (chosenContainers(podSpecOrThrow(object), pattern).length === 0)
        session.io.err(
          `Warning: ${object.kind}/${object.metadata.name} does not have any containers matching "${pattern}"\n`,
        )
      return withEnv(object, changes, { pattern, overwrite })
    }
    return { words, change }
  },
  async list(session, object, { containers, resolve }) {
    const values: Values = new Map()
    let complete = true
    for (const container of chosenContainers(podSpecOrThrow(object), containers)) {
      session.io.out(`# ${object.kind} ${object.metadata.name}, container ${container.name}\n`)
      for (const { name, value = '', valueFrom } of container.env ?? []) {
        const found = valueFrom && resolve ? await resolvedValue(session, valueFrom, { object, container, values }) : {}
        if (!valueFrom || found.value !== undefined) session.io.out(`${name}=${found.value ?? value}\n`)
        else session.io.out(`# ${name} from ${referenceText(valueFrom)}\n`)
        if (!found.fault) continue
        session.io.err(`error retrieving reference for ${name}: ${found.fault}\n`)
        complete = false
      }
    }
    return complete
  },
})

const isVariable = (word: string) => /^.+=/s.test(word) || word.endsWith('-')

/** Sorts the words: what names objects, and after that the variables; with those of the flags. */
async function changesOf(
  session: Session,
  args: readonly string[],
  flags: EnvFlags,
): Promise<{ words: readonly string[]; changes: EnvChanges }> {
  const first = args.findIndex(isVariable)
  const words = first < 0 ? args : args.slice(0, first)
  const variables = args.slice(words.length)
  const stray = variables.find((word) => !isVariable(word))
  if (stray) throw new CliError(`all resources must be specified before environment changes: ${args.join(' ')}`)
  const set: EnvVar[] = []
  const remove: string[] = []
  for (const word of [...(flags.env ?? []), ...variables]) {
    const at = word.indexOf('=')
    if (word === '-') set.push(...linesOf(await textOf(session.io.stdin)))
    else if (at > 0) set.push(variable(word, at))
    else if (word.endsWith('-')) remove.push(word.slice(0, -1))
    else throw new CliError(`unknown environment variable: ${word}: write NAME=VALUE, or NAME- to take it away`)
  }
  if (remove.some((name) => set.some((one) => one.name === name)))
    throw new CliError('can not both modify and remove the same environment variable in the same command')
  if (flags.from) set.push(...(await variablesFrom(session, flags.from, flags.keys)))
  const { prefix = '' } = flags
  return { words, changes: { set: set.map((one) => ({ ...one, name: prefix + one.name })), remove } }
}

function variable(word: string, at: number): EnvVar {
  const name = word.slice(0, at)
  if (!/^[^=\s]+$/.test(name)) throw new CliError(`"${name}" is not a valid key name`)
  return { name, value: word.slice(at + 1) }
}

/** `NAME=VALUE` a line; what follows a # is a remark. */
const linesOf = (text: string): EnvVar[] =>
  text.split('\n').flatMap((line) => {
    const [kept = ''] = line.split('#')
    const at = kept.indexOf('=')
    return at > 0 ? [{ name: kept.slice(0, at), value: kept.slice(at + 1) }] : []
  })

/** One for each key, which refers to it. */
async function variablesFrom(session: Session, word: string, keys: readonly string[] | undefined): Promise<EnvVar[]> {
  const targets = parseTargets([word], await session.kinds())
  const [target] = targets.type === 'named' ? targets.objects : []
  if (!target) throw new CliError(`--from=${word}: name a config map or a secret: configmap/NAME`)
  const { kind, name } = target
  const refer =
    kind.kind === 'ConfigMap' && kind.group === ''
      ? (key: string) => ({ configMapKeyRef: { name, key } })
      : kind.kind === 'Secret' && kind.group === ''
        ? (key: string) => ({ secretKeyRef: { name, key } })
        : undefined
  if (!refer) throw new CliError('unsupported resource specified in --from')
  const { data = {} } = (await getObject(session, kind, name, session.namespace)) as { data?: Record<string, string> }
  return Object.keys(data)
    .filter((key) => !keys || keys.includes(key))
    .sort()
    .map((key) => {
      const called = key.replace(/[^a-zA-Z0-9_]/g, '_').toUpperCase()
      if (called !== key) session.io.err(`Warning: key ${key} transferred to ${called}\n`)
      return { name: called, valueFrom: refer(key) }
    })
}

/**
 * The object with other variables in the containers whose names fit: those there are keep their places, others follow.
 * Throws for one that has another value, if it must not be overwritten.
 */
export function withEnv(
  object: NamedObject,
  { set, remove }: EnvChanges,
  { pattern = '*', overwrite = true } = {},
): NamedObject {
  const wanted = new Map(set.map((one) => [one.name, one]))
  for (const container of chosenContainers(podSpecOrThrow(object), pattern)) {
    const before = container.env ?? []
    const inTheWay = overwrite ? undefined : before.find(({ name }) => wanted.has(name))
    if (inTheWay)
      throw new CliError(`'${inTheWay.name}' already has a value (${inTheWay.value ?? ''}), and --overwrite is false`)
    const kept = before.filter(({ name }) => !remove.includes(name))
    const names = new Set(kept.map(({ name }) => name))
    const after = [
      ...kept.map((one) => wanted.get(one.name) ?? one),
      ...[...wanted.values()].filter(({ name }) => !names.has(name) && !remove.includes(name)),
    ]
    if (after.length > 0) container.env = after
    else delete container.env
  }
  return object
}
