import type { Point } from '../framework/points.ts'

/** A KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1), as its file says it: what is left out is undefined. */
export interface KubeSchedulerConfiguration {
  apiVersion: string
  kind: string
  /** Accepted: one thread compares nodes. */
  parallelism?: number
  leaderElection?: LeaderElection
  clientConnection?: { kubeconfig?: string }
  percentageOfNodesToScore?: number
  podInitialBackoffSeconds?: number
  podMaxBackoffSeconds?: number
  profiles?: KubeSchedulerProfile[]
  extenders?: ExtenderConfig[]
}

/** Durations are written as Go does: `15s`. */
export interface LeaderElection {
  leaderElect?: boolean
  leaseDuration?: string
  renewDeadline?: string
  retryPeriod?: string
  resourceLock?: string
  resourceName?: string
  resourceNamespace?: string
}

export interface KubeSchedulerProfile {
  schedulerName?: string
  percentageOfNodesToScore?: number
  plugins?: Partial<Record<Point | 'multiPoint', PluginSet>>
  pluginConfig?: { name: string; args?: unknown }[]
}

export interface PluginSet {
  enabled?: { name: string; weight?: number }[]
  disabled?: { name: string }[]
}

export interface ExtenderConfig {
  urlPrefix: string
  filterVerb?: string
  preemptVerb?: string
  prioritizeVerb?: string
  bindVerb?: string
  weight?: number
  enableHTTPS?: boolean
  tlsConfig?: {
    insecure?: boolean
    serverName?: string
    certFile?: string
    keyFile?: string
    caFile?: string
    certData?: string
    keyData?: string
    caData?: string
  }
  httpTimeout?: string
  nodeCacheCapable?: boolean
  managedResources?: { name: string; ignoredByScheduler?: boolean }[]
  ignorable?: boolean
}
