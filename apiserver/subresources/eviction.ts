import type { DeleteOptions, Eviction, Pod, PodDisruptionBudget } from '../../api/generated/types.ts'
import { badRequestError, forbiddenError, methodNotSupportedError, StatusError } from '../../api/machinery/errors.ts'
import { labelSelectorMatches } from '../../api/machinery/labels.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { readBody } from '../handlers/body.ts'
import { type Scope, type SubresourceHandler, writeOptions } from '../handlers/context.ts'
import { decodeAs, fieldValidationOf, parseBody } from '../handlers/decode-body.ts'
import { isDryRun } from '../handlers/parameters.ts'
import { sendObject } from '../handlers/respond.ts'
import { ownsNothing } from '../registry/server-client.ts'
import { setCondition } from './binding.ts'
import { admitCreated } from './connect.ts'
import { createSurgeGuard, type SurgeGuard } from './surge.ts'

/** More unconfirmed evictions than this in one budget means that its controller is not at work. */
const maxDisruptedPods = 2000

/** The evictions of one server: deletes a pod as far as its disruption budget allows; 429 with the reason where it does not. */
export function createEviction(): SubresourceHandler {
  const guard = createSurgeGuard()
  return (scope) => handleEviction(scope, guard)
}

async function handleEviction(scope: Scope, guard: SurgeGuard): Promise<void> {
  const { info, req, res, media, server } = scope
  const pods = server.registry('', 'pods')
  if (info.verb !== 'create') throw methodNotSupportedError(pods.of, info.verb)
  const schema = builtinSchema('io.k8s.api.policy.v1.Eviction')
  const { value, faults } = parseBody(await readBody(req), req.headers['content-type'], schema)
  const eviction = decodeAs(schema, value, 'Eviction', 'v1', {
    mode: fieldValidationOf(info.query),
    faults,
    warn: scope.warn,
  }) as unknown as Stored<Eviction>
  if (eviction.metadata.name && eviction.metadata.name !== info.name) {
    throw badRequestError('name in URL does not match name in Eviction object')
  }
  const deletion: DeleteOptions = eviction.deleteOptions ?? {}
  const dryRun = isDryRun(info.query) || (deletion.dryRun?.length ?? 0) > 0

  const kind = { group: 'policy', version: 'v1', kind: 'Eviction' }
  await admitCreated(scope, eviction as unknown as AnyObject, kind, dryRun)

  const pod = (await pods.get(info.namespace, info.name)).object as unknown as Stored<Pod>
  const takeBack = await guard.admit(scope, pod, dryRun)
  try {
    let guarded = deletion
    if (!budgetDoesNotMatter(pod)) {
      const budget = budgetOf(scope, pod)
      if (budget) {
        // An unready pod may go without being counted, as long as it stays the unready pod that was looked at.
        if (mayGoUncounted(pod, budget)) guarded = atVersion(deletion, pod)
        else await spend(scope, budget, info.name, dryRun)
      }
    }
    await evict(scope, guarded, deletion, dryRun, pod)
  } catch (error) {
    takeBack()
    throw error
  }
  sendObject(res, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, media)
}

function budgetDoesNotMatter({ metadata, status }: Stored<Pod>): boolean {
  const phase = status?.phase
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || metadata.deletionTimestamp !== undefined
}

function budgetOf({ server, info }: Scope, pod: Stored<Pod>): Stored<PodDisruptionBudget> | undefined {
  const { resource } = server.registry('policy', 'poddisruptionbudgets')
  const budgets = server.client
    .cachedList<Stored<PodDisruptionBudget>>(resource, info.namespace)
    .filter(
      ({ spec }) => spec?.selector !== undefined && labelSelectorMatches(spec.selector, pod.metadata.labels ?? {}),
    )
  if (budgets.length > 1) {
    throw new StatusError(
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  }
  return budgets[0]
}

function mayGoUncounted(pod: Stored<Pod>, { spec, status }: Stored<PodDisruptionBudget>): boolean {
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  if (ready) return false
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {}
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

function atVersion(deletion: DeleteOptions, { metadata }: Stored<Pod>): DeleteOptions {
  const version = metadata.resourceVersion as string
  return { ...deletion, preconditions: { resourceVersion: version, ...deletion.preconditions } }
}

/** Takes one disruption from the budget. Throws 429 when there is none. */
async function spend(
  scope: Scope,
  budget: Stored<PodDisruptionBudget>,
  podName: string,
  dryRun: boolean,
): Promise<void> {
  const { server, info } = scope
  const name = budget.metadata.name as string
  const now = formatTime(server.now())
  await server.registry('policy', 'poddisruptionbudgets').update(
    info.namespace,
    name,
    (current) => {
      const fresh = current as unknown as Stored<PodDisruptionBudget>
      requireAllowance(fresh)
      const { status } = fresh
      if (status) {
        status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1
        status.disruptedPods = { ...status.disruptedPods, [podName]: now }
      }
      return current as AnyObject
    },
    { ...writeOptions(scope, dryRun), subresource: 'status', rules: {}, track: ownsNothing },
  )
}

function requireAllowance({ metadata, status }: Stored<PodDisruptionBudget>): void {
  const name = metadata.name as string
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw stillProcessed(name)
  const allowed = status?.disruptionsAllowed ?? 0
  const of = { group: 'policy', resource: 'poddisruptionbudget' }
  if (allowed < 0) throw forbiddenError(of, name, 'pdb disruptions allowed is negative')
  if (Object.keys(status?.disruptedPods ?? {}).length > maxDisruptedPods) {
    throw forbiddenError(of, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  }
  if (allowed > 0) return
  const condition = status?.conditions?.find(({ type }) => type === 'DisruptionAllowed')
  const failed = condition?.status === 'False' && condition.message ? condition : undefined
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {}
  let why: string
  if (failed?.reason === 'SyncFailed') {
    why = `does not allow evicting pods currently because it failed sync: ${failed.message}`
  } else if (currentHealthy <= desiredHealthy) {
    why = `needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
  } else if (failed) {
    why = `does not allow evicting pods currently (${failed.reason}): ${failed.message}`
  } else {
    why = 'does not allow evicting pods currently'
  }
  throw tooSoon(`The disruption budget ${name} ${why}`)
}

const stillProcessed = (name: string): StatusError =>
  tooSoon(`The disruption budget ${name} is still being processed by the server.`, 10)

function tooSoon(cause: string, retryAfterSeconds = 0): StatusError {
  return new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  })
}

/** Marks the pod as disrupted, so that its controllers know why, and deletes it. */
async function evict(
  scope: Scope,
  guarded: DeleteOptions,
  asked: DeleteOptions,
  dryRun: boolean,
  seen: Stored<Pod>,
): Promise<void> {
  const { server, info } = scope
  const pods = server.registry('', 'pods')
  const now = formatTime(server.now())
  let deletion = guarded
  try {
    if (!dryRun) {
      const marked = await pods.update(
        info.namespace,
        info.name,
        (current) => {
          const pod = current as unknown as Stored<Pod>
          const { uid, resourceVersion } = guarded.preconditions ?? {}
          if (uid) pod.metadata.uid = uid
          if (resourceVersion) pod.metadata.resourceVersion = resourceVersion
          pod.status = {
            ...pod.status,
            conditions: setCondition(
              pod.status?.conditions ?? [],
              {
                type: 'DisruptionTarget',
                status: 'True',
                reason: 'EvictionByEvictionAPI',
                message: 'Eviction API: evicting',
              },
              now,
            ),
          }
          return current as AnyObject
        },
        { ...writeOptions(scope, false), subresource: 'eviction', rules: {}, track: ownsNothing, isAdmitted: true },
      )
      const version = marked.object.metadata.resourceVersion as string
      if (guarded.preconditions?.resourceVersion) {
        deletion = { ...guarded, preconditions: { ...guarded.preconditions, resourceVersion: version } }
      }
    }
    await pods.delete(info.namespace, info.name, deletion, writeOptions(scope, dryRun))
  } catch (error) {
    // It changed since it was found unready, and the client did not ask for this very version: it may try again.
    const ours = guarded !== asked && asked.preconditions?.resourceVersion === undefined
    if (ours && error instanceof StatusError && error.code === 409) throw stillProcessed(seen.metadata.name as string)
    throw error
  }
}
