import type { ReplicaSet, ReplicationController } from '../../api/generated/types.ts'
import { type LabelMatcher, labelSelectorMatcher } from '../../api/machinery/labels.ts'
import { replicaSets, replicationControllers } from '../../client/resources.ts'
import type { Live, ResourceRef } from '../../client/types.ts'

/** A replica set, or a replication controller seen as one: they differ in nothing but the form of the selector. */
export type Replicator = Live<ReplicaSet> | Live<ReplicationController>

/** One kind that keeps a number of pods. */
export interface ReplicatorKind {
  ref: ResourceRef<object>
  apiVersion: string
  kind: 'ReplicaSet' | 'ReplicationController'
  /** Names it in logs and metrics. */
  name: string
  /** Names it in `--concurrent-…-syncs`. */
  flag: string
  /** Whether its status tells of terminating pods. */
  countsTerminating: boolean
  /** Which pods are its own; undefined if it has no selector, and so no pods. */
  selects(object: Replicator): LabelMatcher | undefined
}

export const replicaSetKind: ReplicatorKind = {
  ref: replicaSets,
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'replicaset',
  flag: 'replicaset',
  countsTerminating: true,
  selects: ({ spec }) => spec?.selector && labelSelectorMatcher(spec.selector),
}

export const replicationControllerKind: ReplicatorKind = {
  ref: replicationControllers,
  apiVersion: 'v1',
  kind: 'ReplicationController',
  name: 'replicationmanager',
  flag: 'rc',
  countsTerminating: false,
  selects: ({ spec }) =>
    spec?.selector && labelSelectorMatcher({ matchLabels: spec.selector as Record<string, string> }),
}
