import type { Resource } from '../machinery/resource.ts'
import { type HorizontalPodAutoscaler, horizontalPodAutoscalers } from './horizontalpodautoscaler.ts'
import { scaleColumns, scaleSchema, validateScale } from './scale.ts'

export { type HorizontalPodAutoscaler, horizontalPodAutoscalers, scaleColumns, scaleSchema, validateScale }
export const autoscalingResources: readonly Resource[] = [horizontalPodAutoscalers]
