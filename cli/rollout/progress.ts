import type { DaemonSet, Deployment, StatefulSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import type { Subject } from '../workloads.ts'

export interface Progress {
  message: string
  done: boolean
}

/** How far a rollout is, in kubectl's words. Throws a CliError for one that will not come to its end. */
export function progressOf({ kind, object }: Subject, revision = 0): Progress {
  switch (kind.kind) {
    case 'Deployment':
      return deploymentProgress(object as Live<Deployment>, revision)
    case 'DaemonSet':
      return daemonSetProgress(object as Live<DaemonSet>)
    case 'StatefulSet':
      return statefulSetProgress(object as Live<StatefulSet>)
  }
  throw new CliError(
    `no status viewer has been implemented for ${kind.kind}: only deployments, daemonsets and statefulsets are rolled out`,
  )
}

const going = (message: string): Progress => ({ message, done: false })
const done = (message: string): Progress => ({ message, done: true })

function deploymentProgress({ metadata, spec, status = {} }: Live<Deployment>, revision: number): Progress {
  const { name, generation = 0, annotations = {} } = metadata
  const running = Number(annotations['deployment.kubernetes.io/revision'] ?? 0)
  if (revision > 0 && revision !== running)
    throw new CliError(`desired revision (${revision}) is different from the running revision (${running})`)
  if (generation > (status.observedGeneration ?? 0))
    return going('Waiting for deployment spec update to be observed...')
  if (status.conditions?.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded'))
    throw new CliError(`deployment "${name}" exceeded its progress deadline`)
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status
  const waiting = (what: string) => going(`Waiting for deployment "${name}" rollout to finish: ${what}...`)
  if (updatedReplicas < (spec?.replicas ?? 1))
    return waiting(`${updatedReplicas} out of ${spec?.replicas ?? 1} new replicas have been updated`)
  if (replicas > updatedReplicas) return waiting(`${replicas - updatedReplicas} old replicas are pending termination`)
  if (availableReplicas < updatedReplicas)
    return waiting(`${availableReplicas} of ${updatedReplicas} updated replicas are available`)
  return done(`deployment "${name}" successfully rolled out`)
}

function daemonSetProgress({ metadata, spec, status }: Live<DaemonSet>): Progress {
  if (spec?.updateStrategy?.type === 'OnDelete')
    throw new CliError('rollout status is only available for RollingUpdate strategy type')
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0))
    return going('Waiting for daemon set spec update to be observed...')
  const {
    updatedNumberScheduled: updated = 0,
    numberAvailable: available = 0,
    desiredNumberScheduled: desired = 0,
  } = status ?? {}
  const waiting = (what: string) => going(`Waiting for daemon set "${metadata.name}" rollout to finish: ${what}...`)
  if (updated < desired) return waiting(`${updated} out of ${desired} new pods have been updated`)
  if (available < desired) return waiting(`${available} of ${desired} updated pods are available`)
  return done(`daemon set "${metadata.name}" successfully rolled out`)
}

function statefulSetProgress({ metadata, spec, status }: Live<StatefulSet>): Progress {
  if (spec?.updateStrategy?.type === 'OnDelete')
    throw new CliError('rollout status is only available for RollingUpdate strategy type')
  if (!status?.observedGeneration || (metadata.generation ?? 0) > status.observedGeneration)
    return going('Waiting for statefulset spec update to be observed...')
  const {
    readyReplicas = 0,
    updatedReplicas = 0,
    currentReplicas = 0,
    updateRevision = '',
    currentRevision = '',
  } = status
  const replicas = spec?.replicas ?? 1
  const partition = spec?.updateStrategy?.rollingUpdate?.partition
  if (readyReplicas < replicas) return going(`Waiting for ${replicas - readyReplicas} pods to be ready...`)
  if (partition) {
    if (updatedReplicas < replicas - partition)
      return going(
        `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${replicas - partition} new pods have been updated...`,
      )
    return done(`partitioned roll out complete: ${updatedReplicas} new pods have been updated...`)
  }
  if (updateRevision !== currentRevision)
    return going(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
    )
  return done(`statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...`)
}
