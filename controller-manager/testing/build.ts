import { Registry } from 'prom-client'
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { InformerFactory } from '../../client/informer.ts'
import { silentLogger } from '../../client/logger.ts'
import type { Api, Clock, Live } from '../../client/types.ts'
import { parseConfig } from '../config.ts'
import type { ControllerDeps } from '../types.ts'

/** When tests begin. */
export const t0 = Date.parse('2026-01-01T00:00:00Z')

/** A moment, in seconds after the beginning. */
export const at = (seconds: number): string => formatTime(t0 + seconds * 1000)

interface PodFacts {
  name?: string
  uid?: string
  node?: string
  phase?: string
  /** Ready since then, in seconds. */
  ready?: number
  created?: number
  deleted?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  owner?: { kind: string; name: string; uid: string }
  restarts?: number
}

/** A pod; ready only if it says since when. */
export function pod(facts: PodFacts = {}): Live<Pod> {
  const { name = 'pod', uid = name, node, phase = 'Running', ready, created = 0, deleted, labels, annotations } = facts
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid,
      namespace: 'default',
      creationTimestamp: at(created),
      ...(deleted === undefined ? {} : { deletionTimestamp: at(deleted) }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(facts.owner ? { ownerReferences: [{ apiVersion: 'apps/v1', controller: true, ...facts.owner }] } : {}),
    },
    spec: { containers: [], ...(node === undefined ? {} : { nodeName: node }) },
    status: {
      phase,
      ...(ready === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(ready) }] }),
      ...(facts.restarts === undefined
        ? {}
        : {
            containerStatuses: [
              { name: 'c', image: '', imageID: '', ready: false, restartCount: facts.restarts, state: {} },
            ],
          }),
    },
  }
}

interface SetFacts {
  name?: string
  uid?: string
  /** What its template's container runs. */
  image?: string
  replicas?: number
  /** Pods there are, and of these ready and available; default: all are. */
  has?: number
  available?: number
  created?: number
  revision?: number | string
  annotations?: Record<string, string>
  generation?: number
  observed?: number
  deleted?: number
  status?: ReplicaSet['status']
}

/** A replica set of the deployment `web`. */
export function replicaSet(facts: SetFacts = {}): Live<ReplicaSet> {
  const { name = 'web-1', image = 'v1', replicas = 1, created = 0, revision, generation = 1 } = facts
  const has = facts.has ?? replicas
  const available = facts.available ?? has
  const labels = { app: 'web', 'pod-template-hash': name }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: 'default',
      uid: facts.uid ?? name,
      generation,
      resourceVersion: '1',
      creationTimestamp: at(created),
      labels,
      ...(facts.deleted === undefined ? {} : { deletionTimestamp: at(facts.deleted) }),
      annotations: {
        ...(revision === undefined ? {} : { 'deployment.kubernetes.io/revision': String(revision) }),
        ...facts.annotations,
      },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'web', controller: true }],
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } },
    },
    status: facts.status ?? {
      replicas: has,
      readyReplicas: available,
      availableReplicas: available,
      terminatingReplicas: 0,
      observedGeneration: facts.observed ?? generation,
    },
  }
}

interface DeploymentFacts {
  image?: string
  replicas?: number
  surge?: number | string
  unavailable?: number | string
  recreate?: boolean
  paused?: boolean
  deadline?: number
  historyLimit?: number
  annotations?: Record<string, string>
  status?: Deployment['status']
  generation?: number
}

/** The deployment `web`; rolling one by one. */
export function deployment(facts: DeploymentFacts = {}): Live<Deployment> {
  const { image = 'v1', replicas = 1, surge = 1, unavailable = 0, generation = 1 } = facts
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'web',
      generation,
      resourceVersion: '1',
      creationTimestamp: at(0),
      ...(facts.annotations ? { annotations: facts.annotations } : {}),
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
      strategy: facts.recreate
        ? { type: 'Recreate' }
        : { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      progressDeadlineSeconds: facts.deadline ?? 600,
      revisionHistoryLimit: facts.historyLimit ?? 10,
      ...(facts.paused ? { paused: true } : {}),
    },
    ...(facts.status ? { status: facts.status } : {}),
  }
}

/** An event that a controller told. */
export interface Told {
  about: string
  type: string
  reason: string
  message: string
}

/** What a controller is handed in a test; its events are gathered in `told`. */
export function depsFor(api: Api, informers: InformerFactory, clock: Clock): { deps: ControllerDeps; told: Told[] } {
  const told: Told[] = []
  const events = {
    event: (about: { kind?: string; metadata?: { name?: string } }, type: string, reason: string, message: string) => {
      told.push({ about: `${about.kind}/${about.metadata?.name}`, type, reason, message })
    },
  } as unknown as ControllerDeps['events']
  const options = { ...parseConfig([]).options, apiServerCa: '' }
  return { deps: { api, informers, events, clock, log: silentLogger, metrics: new Registry(), options }, told }
}
