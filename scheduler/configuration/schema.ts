import type { Schema } from '../../api/machinery/schema.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { extensionPoints } from '../framework/points.ts'
import type { PluginArgs } from '../plugins/args.ts'

const text: Schema = { type: 'string' }
const flag: Schema = { type: 'boolean' }
const integer: Schema = { type: 'integer', format: 'int32' }
const bytes: Schema = { type: 'bytes' }
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const objectOf = (name: string, properties: Record<string, Schema>): Schema => ({
  type: 'object',
  name,
  properties: new Map(Object.entries(properties)),
})
const header = { apiVersion: text, kind: text }

const plugin = objectOf('Plugin', { name: text, weight: integer })
const pluginSet = objectOf('PluginSet', { enabled: listOf(plugin), disabled: listOf(plugin) })
const plugins = objectOf(
  'Plugins',
  Object.fromEntries([...extensionPoints, 'multiPoint'].map((point) => [point, pluginSet])),
)

/** The whole file. What is accepted for upstream's sake and has nothing to act on here is known as well. */
export const configurationSchema = objectOf('KubeSchedulerConfiguration', {
  ...header,
  parallelism: integer,
  leaderElection: objectOf('LeaderElectionConfiguration', {
    leaderElect: flag,
    leaseDuration: text,
    renewDeadline: text,
    retryPeriod: text,
    resourceLock: text,
    resourceName: text,
    resourceNamespace: text,
  }),
  clientConnection: objectOf('ClientConnectionConfiguration', {
    kubeconfig: text,
    acceptContentTypes: text,
    contentType: text,
    qps: { type: 'number' },
    burst: integer,
  }),
  enableProfiling: flag,
  enableContentionProfiling: flag,
  delayCacheUntilActive: flag,
  percentageOfNodesToScore: integer,
  podInitialBackoffSeconds: integer,
  podMaxBackoffSeconds: integer,
  profiles: listOf(
    objectOf('KubeSchedulerProfile', {
      schedulerName: text,
      percentageOfNodesToScore: integer,
      plugins,
      pluginConfig: listOf(objectOf('PluginConfig', { name: text, args: { type: 'any' } })),
    }),
  ),
  extenders: listOf(
    objectOf('Extender', {
      urlPrefix: text,
      filterVerb: text,
      preemptVerb: text,
      prioritizeVerb: text,
      bindVerb: text,
      weight: integer,
      enableHTTPS: flag,
      tlsConfig: objectOf('ExtenderTLSConfig', {
        insecure: flag,
        serverName: text,
        certFile: text,
        keyFile: text,
        caFile: text,
        certData: bytes,
        keyData: bytes,
        caData: bytes,
      }),
      httpTimeout: text,
      nodeCacheCapable: flag,
      managedResources: listOf(objectOf('ExtenderManagedResource', { name: text, ignoredByScheduler: flag })),
      ignorable: flag,
    }),
  ),
})

const resources = listOf(objectOf('ResourceSpec', { name: text, weight: integer }))
const shape = listOf(objectOf('UtilizationShapePoint', { utilization: integer, score: integer }))

/** What `pluginConfig` can say of each plugin. */
export const argsSchemas: Readonly<Record<keyof PluginArgs, Schema>> = {
  DefaultPreemption: objectOf('DefaultPreemptionArgs', {
    ...header,
    minCandidateNodesPercentage: integer,
    minCandidateNodesAbsolute: integer,
  }),
  DynamicResources: objectOf('DynamicResourcesArgs', { ...header, filterTimeout: text, bindingTimeout: text }),
  InterPodAffinity: objectOf('InterPodAffinityArgs', {
    ...header,
    hardPodAffinityWeight: integer,
    ignorePreferredTermsOfExistingPods: flag,
  }),
  NodeAffinity: objectOf('NodeAffinityArgs', {
    ...header,
    addedAffinity: builtinSchema('io.k8s.api.core.v1.NodeAffinity'),
  }),
  NodeResourcesBalancedAllocation: objectOf('NodeResourcesBalancedAllocationArgs', { ...header, resources }),
  NodeResourcesFit: objectOf('NodeResourcesFitArgs', {
    ...header,
    ignoredResources: listOf(text),
    ignoredResourceGroups: listOf(text),
    scoringStrategy: objectOf('ScoringStrategy', {
      type: text,
      resources,
      requestedToCapacityRatio: objectOf('RequestedToCapacityRatioParam', { shape }),
    }),
  }),
  PodTopologySpread: objectOf('PodTopologySpreadArgs', {
    ...header,
    defaultConstraints: listOf(builtinSchema('io.k8s.api.core.v1.TopologySpreadConstraint')),
    defaultingType: text,
  }),
  VolumeBinding: objectOf('VolumeBindingArgs', { ...header, bindTimeoutSeconds: integer, shape }),
}
