import type { HPAScalingRules, V2HorizontalPodAutoscaler } from '../generated/types.ts'
import { nonNegative } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { dropRoundTripAnnotations, hpaFromV1, hpaToV1 } from './hpa-v1.ts'
import { validateHpa } from './hpa-validation.ts'
import { formatMetrics } from './metrics-column.ts'

export type HorizontalPodAutoscaler = Stored<V2HorizontalPodAutoscaler>

export const horizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler'),
  defaults,
  validate: validateHpa,
  validateStatus: ({ status }) => [
    ...nonNegative(status?.currentReplicas ?? 0, 'status.currentReplicas'),
    ...nonNegative(status?.desiredReplicas ?? 0, 'status.desiredReplicas'),
  ],
  strategy: { status: true },
  versions: [
    {
      group: 'autoscaling',
      version: 'v1',
      schema: builtinSchema('io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler'),
      fromStorage: hpaToV1,
      toStorage: hpaFromV1,
    },
  ],
  columns: [
    nameColumn,
    {
      name: 'Reference',
      type: 'string',
      description: 'What is scaled.',
      value: ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
    },
    {
      name: 'Targets',
      type: 'string',
      description: 'Current and wanted value of each metric.',
      value: ({ spec, status }) => formatMetrics(spec?.metrics ?? [], status?.currentMetrics ?? []),
    },
    {
      name: 'MinPods',
      type: 'string',
      description: 'The least number of replicas.',
      value: ({ spec }) => String(spec?.minReplicas ?? '<unset>'),
    },
    {
      name: 'MaxPods',
      type: 'string',
      description: 'The largest number of replicas.',
      value: ({ spec }) => spec?.maxReplicas ?? 0,
    },
    {
      name: 'Replicas',
      type: 'string',
      description: 'Number of replicas when last looked at.',
      value: ({ status }) => status?.currentReplicas ?? 0,
    },
    ageColumn,
  ],
})

const defaultCpuUtilizationPercent = 80

const scaleUpDefaults = (): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
})

const scaleDownDefaults = (): HPAScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
})

function defaults(hpa: HorizontalPodAutoscaler): void {
  // They carry v2 fields through v1 and have no place in v2.
  dropRoundTripAnnotations(hpa.metadata)
  const { spec } = hpa
  if (!spec) return
  spec.minReplicas ??= 1
  if (!spec.metrics?.length) {
    spec.metrics = [
      {
        type: 'Resource',
        resource: {
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: defaultCpuUtilizationPercent },
        },
      },
    ]
  }
  if (!spec.behavior) return
  spec.behavior.scaleUp = { ...scaleUpDefaults(), ...spec.behavior.scaleUp }
  spec.behavior.scaleDown = { ...scaleDownDefaults(), ...spec.behavior.scaleDown }
}
