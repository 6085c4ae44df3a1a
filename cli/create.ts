import { isDeepStrictEqual } from 'node:util'
import type { CronJob } from '../api/generated/types.ts'
import { StatusError } from '../api/machinery/errors.ts'
import { clusterrole, clusterrolebinding, role, rolebinding } from './create/access.ts'
import { configmap } from './create/configmap.ts'
import { addCreateFlags, type CreateFlags, createOne, oneName } from './create/creating.ts'
import { ingress } from './create/ingress.ts'
import { poddisruptionbudget, priorityclass, quota } from './create/limits.ts'
import { secret } from './create/secret.ts'
import { service } from './create/service.ts'
import { namespace, serviceaccount } from './create/simple.ts'
import { token } from './create/token.ts'
import { cronjob, deployment, job, jobFrom } from './create/workloads.ts'
import { CliError, explain, WhileDoing } from './errors.ts'
import { addFileFlags, areGiven, type FileFlags } from './flags.ts'
import { UnknownKind } from './kinds.ts'
import type { ManifestObject } from './manifests.ts'
import { manifestsGiven, oneFile, selectedBy } from './manifests-given.ts'
import { showPlaces } from './mistakes/show-places.ts'
import { getObject, type NamedObject } from './objects.ts'
import { bodyOf, sendRaw } from './raw.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

type Made = ManifestObject['object']
type CreateFileFlags = CreateFlags & FileFlags & { selector?: string; raw?: string; edit?: boolean }

/** A job made from an image, or from a cron job that is there. */
const jobVerb: typeof job = {
  ...job,
  async run(session, args, flags, rest) {
    if (!flags.from) return job.run(session, args, flags, rest)
    if (flags.image) throw new CliError('cannot specify both --image and --from')
    const [word = '', cronJobName = ''] = flags.from.split('/')
    const kind = (await session.kinds()).named(word)
    if (kind.kind !== 'CronJob') throw new CliError(`from must be an existing cronjob: write cronjob/NAME`)
    const cronJob = (await getObject(session, kind, cronJobName, session.namespace)) as unknown as CronJob
    await createOne(session, jobFrom(oneName(args, 'job'), cronJob), flags)
    return 0
  },
}

/** What a file says nothing of is in the namespace that is worked in, and is shown so. */
async function inItsNamespace(session: Session, object: Made): Promise<Made> {
  const { namespaced } = (await session.kinds()).of(object.apiVersion, object.kind)
  if (!namespaced || object.metadata.namespace) return object
  return { ...object, metadata: { ...object.metadata, namespace: session.namespace } }
}

/** Makes what the user makes of a manifest in an editor; false where nothing comes of it. */
async function createEdited(session: Session, object: Made, flags: CreateFlags): Promise<boolean> {
  const kind = (await session.kinds()).of(object.apiVersion, object.kind)
  const { editUntilTaken } = await import('./edit/until-taken.ts')
  return editUntilTaken(session, { kind, object: object as NamedObject }, async (edited) => {
    if (isDeepStrictEqual(edited, object)) return false
    await createOne(session, edited as Made, flags)
    return true
  })
}

export const create: Verb<CreateFileFlags> = {
  usage: '(-f FILE | KIND NAME)',
  examples: ['gantry create -f web.yaml', 'gantry create namespace shop', 'gantry create deployment web --image=nginx'],
  define: (command) =>
    void addCreateFlags(addFileFlags(command))
      .option('-l, --selector <labels>', 'only objects with these labels')
      .option('--edit', 'open an editor on what files say, and create what comes of it')
      .option('--raw <path>', 'send the file of -f to this path of the server, and show the answer'),
  alone: true,
  async run(session, _args, flags) {
    if (!areGiven(flags))
      throw new CliError('must specify one of -f and -k, or a KIND: `gantry create --help` lists them')
    if (flags.raw !== undefined) return sendRaw(session, 'POST', flags.raw, await bodyOf(session, oneFile(flags)))
    const manifests = await selectedBy(flags.selector, await manifestsGiven(session.io, flags), 'create')
    let failed = false
    for (const manifest of manifests) {
      const { object, source } = manifest
      try {
        const placed = await inItsNamespace(session, object)
        if (!flags.edit) await createOne(session, placed, flags)
        else if (!(await createEdited(session, placed, flags))) failed = true
      } catch (error) {
        // One that fails keeps nobody from the others.
        if (!(error instanceof StatusError || error instanceof UnknownKind)) throw error
        const told = error instanceof StatusError ? new WhileDoing(`when creating "${source}"`, error) : error
        session.io.err(explain(told).text)
        await showPlaces(session, told, manifest)
        failed = true
      }
    }
    return failed ? 1 : 0
  },
  verbs: {
    clusterrole,
    clusterrolebinding,
    configmap,
    cm: configmap,
    cronjob,
    cj: cronjob,
    deployment,
    deploy: deployment,
    ingress,
    ing: ingress,
    job: jobVerb,
    namespace,
    ns: namespace,
    poddisruptionbudget,
    pdb: poddisruptionbudget,
    priorityclass,
    quota,
    role,
    rolebinding,
    secret,
    service,
    svc: service,
    serviceaccount,
    sa: serviceaccount,
    token,
  },
}
