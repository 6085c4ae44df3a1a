import type { Command } from 'commander'
import { pathOf } from '../client/client.ts'
import { isAlreadyExists, isInvalid, isNotFound } from '../client/errors.ts'
import { CliError, explain } from './errors.ts'
import { resourceName, type ServedKind } from './kinds.ts'
import { getObject, type NamedObject } from './objects.ts'
import { type RecordedLine, readRecording } from './past/recording.ts'
import { inOrder, isReplayed, Mapping } from './replay/plan.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface ReplayFlags {
  speed?: string
  until?: string
}

export const replay: Verb<ReplayFlags> = {
  usage: 'FILE[.gz]',
  examples: ['gantry replay hour.gz', 'gantry replay hour.gz --speed 10    # ten times as fast as it was'],
  define: (command: Command) =>
    void command
      .option('--speed <factor>', 'how many times as fast as it was; without, as fast as it goes')
      .option('--until <revision>', 'only up to this revision of the recording'),
  async run(session, args, flags) {
    const [path, ...others] = args
    if (!path || others.length > 0) throw new CliError('say which file: gantry replay FILE.gz')
    const speed = flags.speed === undefined ? Number.POSITIVE_INFINITY : Number(flags.speed)
    if (!(speed > 0)) throw new CliError(`--speed: ${flags.speed} is no factor such as 1 or 10`)
    const until = flags.until === undefined ? Number.POSITIVE_INFINITY : Number(flags.until)
    const failures = new Map<string, number>()
    const initial: Extract<RecordedLine, { object: NamedObject }>[] = []
    const kinds = new Map((await session.kinds()).all.map((kind) => [resourceName(kind), kind]))
    const mapping = new Mapping()
    let count = 0
    let lastMs: number | undefined
    const play = async (line: Extract<RecordedLine, { object: NamedObject }>) => {
      const kind = kinds.get(line.resource)
      if (!kind || !isReplayed(line)) return
      count++
      try {
        await write(session, kind, line.type === 'INITIAL' ? 'ADDED' : line.type, mapping, line.object)
      } catch (error) {
        const { text } = explain(error)
        failures.set(text, (failures.get(text) ?? 0) + 1)
      }
    }
    const begin = async () => {
      for (const line of inOrder(initial.splice(0))) await play(line)
    }
    for await (const line of readRecording(path)) {
      if (line.type === 'END' || Number(line.revision) > until) break
      if (line.type === 'INITIAL') {
        initial.push(line)
        continue
      }
      await begin()
      const timeMs = line.time ? Date.parse(line.time) : lastMs
      const waitMs = timeMs !== undefined && lastMs !== undefined ? (timeMs - lastMs) / speed : 0
      if (waitMs > 0) await session.clock.sleep(waitMs, session.io.signal)
      lastMs = timeMs
      await play(line)
    }
    await begin()
    session.io.out(`replayed ${count} objects and changes\n`)
    for (const [text, times] of failures) session.io.err(`${times} times ${text}`)
    return failures.size > 0 ? 1 : 0
  },
}

async function write(
  session: Session,
  kind: ServedKind,
  type: 'ADDED' | 'MODIFIED' | 'DELETED',
  mapping: Mapping,
  recorded: NamedObject,
): Promise<void> {
  const { name, namespace } = recorded.metadata
  const path = pathOf(kind, namespace, name)
  if (type === 'DELETED') {
    const body = JSON.stringify({ gracePeriodSeconds: 0, propagationPolicy: 'Background' })
    await session.json('DELETE', path, { body }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    return
  }
  const object = mapping.mapped(recorded)
  const made = type === 'ADDED' ? await create(session, kind, object) : undefined
  const standing = made ?? (await bound(session, kind, object, await getObject(session, kind, name, namespace)))
  mapping.learn(recorded, standing)
  let written = standing
  if (!made) {
    const { resourceVersion = '', uid = '' } = standing.metadata
    const body = JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion, uid } })
    written = await session.json<NamedObject>('PUT', path, { body })
  }
  if (recorded.status === undefined || !kind.subresources.includes('status')) return
  const { resourceVersion = '', uid = '' } = written.metadata
  const body = JSON.stringify({
    ...object,
    status: recorded.status,
    metadata: { ...object.metadata, resourceVersion, uid },
  })
  await session.json('PUT', pathOf(kind, namespace, name, 'status'), { body })
}

/** A pod is given its node by a binding, and in no other way. */
async function bound(
  session: Session,
  kind: ServedKind,
  object: NamedObject,
  standing: NamedObject,
): Promise<NamedObject> {
  const nodeOf = ({ spec }: NamedObject) => (spec as { nodeName?: string } | undefined)?.nodeName
  const node = nodeOf(object)
  if (kind.kind !== 'Pod' || !node || nodeOf(standing)) return standing
  const { name, namespace } = object.metadata
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name },
    target: { kind: 'Node', name: node },
  })
  await session.json('POST', pathOf(kind, namespace, name, 'binding'), { body })
  return getObject(session, kind, name, namespace)
}

/** Undefined where it is there already. An address of another cluster is not asked for twice. */
async function create(session: Session, kind: ServedKind, object: NamedObject): Promise<NamedObject | undefined> {
  const post = (body: object) =>
    session.json<NamedObject>('POST', pathOf(kind, object.metadata.namespace), { body: JSON.stringify(body) })
  try {
    return await post(object)
  } catch (error) {
    if (isAlreadyExists(error)) return undefined
    if (!isInvalid(error) || kind.plural !== 'services') throw error
    const { clusterIP: _ip, clusterIPs: _ips, ...spec } = object.spec as Record<string, unknown>
    return post({ ...object, spec })
  }
}
