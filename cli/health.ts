import { summarizePod } from '../api/core/pod-columns.ts'
import type { Job, Node, PersistentVolumeClaim, Pod } from '../api/generated/types.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { progressOf } from './rollout/progress.ts'
import type { Subject } from './workloads.ts'

/** How an object is, in a word or a few. */
export interface Health {
  /** Well, on its way there, not well, or of a kind of which nobody can say. */
  state: 'well' | 'going' | 'ill' | 'unknown'
  text: string
}

/** How an object is, from what its status says. */
export function healthOf({ kind, object }: Subject): Health {
  if (object.metadata.deletionTimestamp) return { state: 'going', text: 'being deleted' }
  switch (`${kind.group}/${kind.kind}`) {
    case '/Pod':
      return podHealth(object as Live<Pod>)
    case '/Node':
      return nodeHealth(object as Live<Node>)
    case '/PersistentVolumeClaim':
    case '/PersistentVolume':
    case '/Namespace':
      return phaseHealth((object as Live<PersistentVolumeClaim>).status?.phase)
    case 'apps/Deployment':
    case 'apps/StatefulSet':
    case 'apps/DaemonSet':
      return rolloutHealth({ kind, object })
    case 'apps/ReplicaSet':
    case '/ReplicationController':
      return replicasHealth(object.spec as Replicas, object.status as Replicas)
    case 'batch/Job':
      return jobHealth(object as Live<Job>)
  }
  return { state: 'unknown', text: '' }
}

function podHealth(pod: Live<Pod>): Health {
  const { ready, containers, status } = summarizePod(pod)
  const text = `${status} ${ready}/${containers}`
  if (pod.status?.phase === 'Succeeded') return { state: 'well', text: status }
  if (pod.status?.phase === 'Failed' || isBad(status)) return { state: 'ill', text }
  return { state: pod.status?.phase === 'Running' && ready === containers ? 'well' : 'going', text }
}

const isBad = (reason: string): boolean => /BackOff|Error|Err|Invalid|OOM|Failed|Evicted|Unknown/.test(reason)

function nodeHealth({ spec, status }: Live<Node>): Health {
  const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  const cordoned = spec?.unschedulable ? ', cordoned' : ''
  return isReady
    ? { state: cordoned ? 'going' : 'well', text: `Ready${cordoned}` }
    : { state: 'ill', text: `NotReady${cordoned}` }
}

const wellPhases = new Set(['Bound', 'Available', 'Active'])

const phaseHealth = (phase = 'Unknown'): Health => ({
  state: wellPhases.has(phase) ? 'well' : phase === 'Pending' || phase === 'Terminating' ? 'going' : 'ill',
  text: phase,
})

interface Replicas {
  replicas?: number
  readyReplicas?: number
}

function replicasHealth({ replicas = 1 }: Replicas = {}, { readyReplicas = 0 }: Replicas = {}): Health {
  return { state: readyReplicas >= replicas ? 'well' : 'going', text: `${readyReplicas}/${replicas}` }
}

function rolloutHealth(subject: Subject): Health {
  const { spec = {}, status = {} } = subject.object as {
    spec?: Replicas & { paused?: boolean }
    status?: Replicas & { desiredNumberScheduled?: number; numberReady?: number }
  }
  const wanted = status.desiredNumberScheduled ?? spec.replicas ?? 1
  const ready = status.numberReady ?? status.readyReplicas ?? 0
  const text = `${ready}/${wanted}${spec.paused ? ' paused' : ''}`
  try {
    return { state: progressOf(subject).done ? 'well' : 'going', text }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    // It will not come to its end, or is one that nobody rolls out.
    return { state: ready >= wanted ? 'well' : 'ill', text }
  }
}

function jobHealth({ spec, status }: Live<Job>): Health {
  const is = (wanted: string) => status?.conditions?.find(({ type, status: so }) => type === wanted && so === 'True')
  if (is('Complete')) return { state: 'well', text: 'Complete' }
  const failed = is('Failed')
  if (failed) return { state: 'ill', text: `Failed (${failed.reason ?? ''})` }
  return { state: 'going', text: `${status?.succeeded ?? 0}/${spec?.completions ?? 1}` }
}
