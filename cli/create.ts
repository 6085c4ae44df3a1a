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
import { manifestsGiven } from './manifests-given.ts'
import { showPlaces } from './mistakes/show-places.ts'
import { getObject } from './objects.ts'
import type { Verb } from './verb.ts'

type CreateFileFlags = CreateFlags & FileFlags

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

export const create: Verb<CreateFileFlags> = {
  usage: '(-f FILE | KIND NAME)',
  examples: ['gantry create -f web.yaml', 'gantry create namespace shop', 'gantry create deployment web --image=nginx'],
  define: (command) => void addCreateFlags(addFileFlags(command)),
  async run(session, _args, flags) {
    if (!areGiven(flags)) throw new CliError('must specify one of -f and -k')
    const manifests = await manifestsGiven(session.io, flags)
    let failed = false
    for (const manifest of manifests) {
      const { object, source } = manifest
      try {
        await createOne(session, object, flags)
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
