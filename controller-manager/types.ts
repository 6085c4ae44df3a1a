import type { Registry } from 'prom-client'
import type { Controller } from '../client/controller.ts'
import type { EventRecorder } from '../client/events.ts'
import type { InformerFactory } from '../client/informer.ts'
import type { Logger } from '../client/logger.ts'
import type { Api, Clock } from '../client/types.ts'
import type { HpaOptions } from './hpa/types.ts'

/** PEM files of a certificate authority. */
export interface AuthorityFiles {
  certFile: string
  keyFile: string
}

/** What an operator can set for the controllers. Each is the flag of upstream's name. */
export interface ControllerOptions {
  clusterName: string
  /** `--cluster-cidr`: the range of pod addresses; empty when nodes get theirs elsewhere. */
  clusterCidrs: readonly string[]
  allocateNodeCidrs: boolean
  nodeCidrMaskSizeIpv4: number
  nodeCidrMaskSizeIpv6: number
  /** Left out of what nodes get; empty when it lies elsewhere anyway. */
  serviceClusterIpRange: string
  nodeMonitorPeriodMs: number
  nodeMonitorGracePeriodMs: number
  nodeStartupGracePeriodMs: number
  /** Nodes a second that may be tainted for eviction while the zone is well, and while it is not. */
  nodeEvictionRate: number
  secondaryNodeEvictionRate: number
  unhealthyZoneThreshold: number
  largeClusterSizeThreshold: number
  terminatedPodGcThreshold: number
  /** PEM file published as kube-root-ca.crt; empty: the CA of the manager's own kubeconfig. */
  rootCaFile: string
  /** PEM of the CA by which the manager itself trusts the API server. */
  apiServerCa: string
  enableGarbageCollector: boolean
  hpa: HpaOptions
  /** Between two looks at a claim that has no volume. */
  claimBinderSyncPeriodMs: number
  /** Between two full counts of what is used of a quota. */
  resourceQuotaSyncPeriodMs: number
  /** By signer, the authority that signs for it; and for how long at most. */
  clusterSigning: { authorities: Readonly<Record<string, AuthorityFiles>>; durationSeconds: number }
  /** PEM file of the key that signs tokens kept in secrets; empty: nobody makes any. */
  serviceAccountPrivateKeyFile: string
  /** For how long a token kept in a secret must have been unused before it is taken away. */
  legacyTokenCleanUpPeriodMs: number
  /** Addresses of one subset that are mirrored, at most. */
  mirroringMaxEndpointsPerSubset: number
  mirroringWorkers: number
  /** How many keys a controller works on at once, by the flag's own word: `--concurrent-replicaset-syncs` is `replicaset`. */
  workers: Readonly<Record<string, number>>
}

/** What a controller is handed. Nothing else reaches it. */
export interface ControllerDeps {
  api: Api
  /** Shared by all controllers: one list and one watch a kind. Pods and all others come without managedFields. */
  informers: InformerFactory
  /** Speaks as the controller's own component: `deployment-controller`. */
  events: EventRecorder
  clock: Clock
  log: Logger
  /** What a controller counts beside what all queues are measured by, under upstream's names. */
  metrics: Registry
  options: ControllerOptions
}

/** One line of the manager's table. */
export interface ControllerEntry {
  /** Upstream's name, as `--controllers` takes it: `deployment-controller`. */
  name: string
  /** The older name that `--controllers` takes as well: `deployment`. */
  alias?: string
  /** The source of its events where that is not its name. */
  component?: string
  /** With --use-service-account-credentials, the service account it is where that has another name; empty: the manager itself. */
  account?: string
  /** Off unless named in `--controllers`. */
  offByDefault?: boolean
  make(deps: ControllerDeps): Controller | Controller[]
}
