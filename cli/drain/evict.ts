import type { Pod } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { pathOf } from '../../client/client.ts'
import { isNotFound, isTooManyRequests } from '../../client/errors.ts'
import { pods as podResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import type { DryRun } from '../dry-run.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import { inTime, untilGone } from '../until.ts'

interface Evicting {
  dryRun: DryRun
  /** Without asking disruption budgets. */
  byDeletion: boolean
  /** 0 for no limit. */
  timeoutMs: number
  /** Undefined for what each pod says itself. */
  graceSeconds: number | undefined
  /** Pods that have been going for longer are not waited for; 0 waits for all. */
  skipAfterSeconds: number
}

const retryMs = 5000

/** Evicts pods side by side, each again while a budget forbids it, and waits until they are gone. Throws what is left. */
export async function evictPods(session: Session, pods: readonly Live<Pod>[], how: Evicting): Promise<void> {
  const doing = how.byDeletion ? 'deleting' : 'evicting'
  if (how.dryRun === 'client') {
    for (const { metadata } of pods) session.io.out(`${doing} pod ${metadata.namespace}/${metadata.name} (dry run)\n`)
    return
  }
  let gone = 0
  const going = new Set(pods.map(({ metadata }) => metadata.name))
  const tell = ({ metadata }: Live<Pod>) => {
    gone++
    going.delete(metadata.name)
    // Somebody looks on: how far it is.
    const far = session.io.isTerminal.stdout && pods.length > 1 ? ` (${gone} of ${pods.length})` : ''
    session.io.out(`pod/${metadata.name} ${how.byDeletion ? 'deleted' : 'evicted'}${far}\n`)
  }
  const all = Promise.all(
    pods.map(async (pod) => {
      await evictOne(session, pod, how, doing)
      if (how.dryRun === 'none' && (await isGone(session, pod, how))) tell(pod)
    }),
  )
  if (await inTime(session, all, how.timeoutMs || Number.POSITIVE_INFINITY)) return
  const left = [...going].map((name) => `pod/${name}`).join(', ')
  throw new CliError(
    `global timeout reached: ${how.timeoutMs / 1000}s; still there: ${left}. A disruption budget may hold them: \`gantry get pdb -A\``,
  )
}

async function evictOne(session: Session, pod: Live<Pod>, how: Evicting, doing: string): Promise<void> {
  const { namespace = '', name } = pod.metadata
  for (;;) {
    session.io.out(`${doing} pod ${namespace}/${name}${how.dryRun === 'server' ? ' (server dry run)' : ''}\n`)
    try {
      await send(session, pod, how)
      return
    } catch (error) {
      if (isNotFound(error)) return
      if (!(error instanceof StatusError)) throw error
      if (!isTooManyRequests(error))
        throw new CliError(`error when ${doing} pods/"${name}" -n "${namespace}": ${error.message}`)
      session.io.err(`error when ${doing} pods/"${name}" -n "${namespace}" (will retry after 5s): ${error.message}\n`)
      await session.clock.sleep(retryMs, session.signal)
    }
  }
}

async function send(session: Session, { metadata }: Live<Pod>, { dryRun, byDeletion, graceSeconds }: Evicting) {
  const { namespace, name, uid } = metadata
  const deleteOptions = {
    ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
    ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
  }
  if (byDeletion) {
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid }, ...deleteOptions }
    await session.json('DELETE', pathOf(podResource, namespace, name), { body: JSON.stringify(body) })
  } else {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions }
    await session.json('POST', pathOf(podResource, namespace, name, 'eviction'), { body: JSON.stringify(body) })
  }
}

/** Waits for the end of a pod; false for one that is not waited for any longer. */
async function isGone(session: Session, { metadata }: Live<Pod>, { skipAfterSeconds }: Evicting): Promise<boolean> {
  const { deletionTimestamp, name, namespace, uid } = metadata
  const goingMs = deletionTimestamp ? session.clock.now() - Date.parse(deletionTimestamp) : 0
  if (skipAfterSeconds > 0 && goingMs > skipAfterSeconds * 1000) return false
  await untilGone(session, { kind: (await session.kinds()).named('pods'), name, namespace, uid })
  return true
}
