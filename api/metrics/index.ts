import { nodeMetrics } from './nodemetrics.ts'
import { podMetrics } from './podmetrics.ts'

export const metricsResources = [nodeMetrics, podMetrics]
