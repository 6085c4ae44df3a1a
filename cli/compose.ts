import type { Command } from 'commander'
import { pathOf } from '../client/client.ts'
import { leftOver, parentOf, partOfLabel, readApplySet, writeParent } from './apply/apply-set.ts'
import { convert } from './compose/convert.ts'
import { readCompose } from './compose/read.ts'
import { CliError } from './errors.ts'
import { parseDuration } from './flags.ts'
import { type Health, healthOf } from './health.ts'
import { kindName } from './kinds.ts'
import type { NamedObject } from './objects.ts'
import { toYaml } from './print/yaml.ts'
import type { Session } from './session.ts'
import { inTime, untilSo } from './until.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

interface ComposeFlags {
  file?: string
  projectName?: string
  wait: boolean
  timeout: string
  volumes?: boolean
}

/** What compose has besides, and what does that here. */
const elsewhere: Record<string, string> = {
  ps: 'gantry get pods -l PART',
  ls: 'gantry get deployments -L app.kubernetes.io/part-of',
  logs: 'gantry logs -l PART -f',
  exec: 'gantry exec deployment/SERVICE -- COMMAND',
  stop: 'gantry scale deployments -l PART --replicas=0',
  start: 'gantry compose up',
  restart: 'gantry rollout restart deployment -l PART',
  pull: 'nothing: nodes pull what they lack',
  build: 'gantry image build DIR --tag NAME',
  config: 'gantry compose convert',
}

export const compose: Verb<ComposeFlags> = {
  usage: '[-f FILE] up|down|convert',
  examples: ['gantry compose up', 'gantry compose -f docker-compose.yml convert > web.yaml', 'gantry compose down'],
  define: (command: Command) =>
    void command
      .option('-f, --file <file>', 'the compose file; without, compose.yaml or docker-compose.yml of this directory')
      .option('-p, --project-name <name>', 'what its objects belong to; without, the name of the directory')
      .option('--no-wait', 'up: do not wait until all is ready')
      .option('--timeout <duration>', 'up: how long to wait', '5m')
      .option('-v, --volumes', 'down: delete the named volumes, too, with what is in them'),
  async run(session, args, flags) {
    const [what = '', ...more] = args
    const does = Object.hasOwn(elsewhere, what) ? elsewhere[what] : undefined
    if (!does && (!['up', 'down', 'convert'].includes(what) || more.length > 0))
      throw new CliError(
        `${what === '' ? '' : `there is no \`gantry compose ${args.join(' ')}\`: `}say what to do: gantry compose up, down or convert`,
      )
    const read = readCompose(flags.file, session.io.env)
    const project = flags.projectName ?? read.project
    if (does)
      throw new CliError(
        `there is no \`gantry compose ${what}\`. What does it: ${does.replace('PART', `app.kubernetes.io/part-of=${project}`)}`,
      )
    const { objects, warnings, published } = convert(read.file, read.directory, project)
    for (const warning of warnings) session.io.err(`Warning: ${warning}\n`)
    if (what === 'convert') {
      session.io.out(objects.map(toYaml).join('---\n'))
      return 0
    }
    const subjects = await bring(
      session,
      project,
      what === 'up' ? objects : [],
      what === 'down' && flags.volumes === true,
    )
    if (what === 'down') return 0
    if (flags.wait) await untilReady(session, subjects, flags.timeout)
    for (const { service, hostPort, port } of published)
      session.io.out(`  to reach ${service}: gantry port-forward service/${service} ${hostPort}:${port}\n`)
    return 0
  },
}

/**
 * Applies the objects as one set: what the file had before and has no longer goes. Volumes stay with what is in them, as
 * they do with compose, unless they are to go, too.
 */
async function bring(
  session: Session,
  project: string,
  objects: readonly NamedObject[],
  withVolumes: boolean,
): Promise<Subject[]> {
  const kinds = await session.kinds()
  const { namespace } = session
  const set = await readApplySet(session, `configmaps/compose-${project}`)
  const members: Subject[] = objects.map((object) => ({
    kind: kinds.of(object.apiVersion ?? 'v1', object.kind ?? ''),
    object: {
      ...object,
      metadata: { ...object.metadata, namespace, labels: { ...object.metadata.labels, [partOfLabel]: set.id } },
    },
  }))
  const left = await leftOver(session, set, members)
  const kept = withVolumes ? [] : left.filter(({ kind }) => kind.kind === 'PersistentVolumeClaim')
  const gone = left.filter((each) => !kept.includes(each))
  if (members.length > 0 || set.before) await writeParent(session, parentOf(set, members, true), set)
  const applied: Subject[] = []
  for (const { kind, object } of members) {
    const written = await session.json<NamedObject>('PATCH', pathOf(kind, namespace, object.metadata.name), {
      query: { fieldManager: 'gantry-compose', force: 'true' },
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify(object),
    })
    session.io.out(`${kindName(kind)}/${object.metadata.name} applied\n`)
    applied.push({ kind, object: written })
  }
  for (const { kind, object } of gone) {
    const { namespace: where, name, uid } = object.metadata
    const body = JSON.stringify({ preconditions: { uid }, propagationPolicy: 'Background' })
    await session.json('DELETE', pathOf(kind, where, name), { body })
    session.io.out(`${kindName(kind)}/${name} deleted\n`)
  }
  for (const { kind, object } of kept)
    session.io.out(`${kindName(kind)}/${object.metadata.name} kept: \`gantry compose down --volumes\` deletes it\n`)
  const remembered = [...members, ...kept]
  if (remembered.length > 0) await writeParent(session, parentOf(set, remembered, false), set)
  else if (set.before) await session.json('DELETE', pathOf(set.kind, set.namespace, set.name))
  return applied
}

async function untilReady(session: Session, subjects: readonly Subject[], timeout: string): Promise<void> {
  const limitMs = parseDuration(timeout)
  if (limitMs === undefined) throw new CliError(`invalid --timeout "${timeout}": write 30s, 2m or 1h`)
  const workloads = subjects.filter(({ kind }) => kind.kind === 'Deployment' || kind.kind === 'Job')
  const waiting = new Map(workloads.map((subject) => [subject, healthOf(subject)]))
  const follow = async (subject: Subject) => {
    const { kind, object } = subject
    const { name, namespace } = object.metadata
    await untilSo(session, { kind, name, namespace }, (now) => {
      const health: Health = now ? healthOf({ kind, object: now }) : { state: 'ill', text: 'deleted' }
      waiting.set(subject, health)
      return health.state === 'well' || !now
    })
    waiting.delete(subject)
    session.io.out(`${kindName(kind)}/${name} is ready\n`)
  }
  if (await inTime(session, Promise.all(workloads.map(follow)), limitMs)) return
  const left = [...waiting].map(([{ kind, object }, { text }]) => `${kindName(kind)}/${object.metadata.name} (${text})`)
  throw new CliError(`not ready after ${timeout}: ${left.join(', ')}. \`gantry status\` says why`)
}
