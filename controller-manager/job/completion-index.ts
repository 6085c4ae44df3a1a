import type { Container, Pod, PodTemplateSpec } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'
export const failuresAnnotation = 'batch.kubernetes.io/job-index-failure-count'
export const ignoredFailuresAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count'
const environmentName = 'JOB_COMPLETION_INDEX'
/** Of what is before the server's own letters. */
const maxPrefixChars = 58

/** `0,2-4,7` as numbers below `completions`; what makes no sense is left out. */
export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>()
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (!match) continue
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1)
    for (let index = Number(match[1]); index <= last; index++) indexes.add(index)
  }
  return indexes
}

/** The reverse of {@link parseIndexes}: runs of three and more are written with a dash. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = []
  const sorted = [...indexes].sort((a, b) => a - b)
  for (let i = 0; i < sorted.length; ) {
    let end = i
    while (sorted[end + 1] === (sorted[end] as number) + 1) end++
    const [first, last] = [sorted[i] as number, sorted[end] as number]
    parts.push(end === i ? `${first}` : `${first}${end === i + 1 ? ',' : '-'}${last}`)
    i = end + 1
  }
  return parts.join(',')
}

/** The index of a pod; undefined for none. */
export function indexOf({ metadata }: Live<Pod>): number | undefined {
  const text = metadata.annotations?.[indexAnnotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** How often pods of its index had failed before this one: those that count, and those that a rule lets pass. */
export function failuresBefore({ metadata }: Live<Pod>): { counted: number; ignored: number } {
  const count = (name: string) => {
    const text = metadata.annotations?.[name] ?? ''
    return /^\d+$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : 0
  }
  return { counted: count(failuresAnnotation), ignored: count(ignoredFailuresAnnotation) }
}

/** The template for the pod of one index, which finds its number in the environment, in a label and in its host name. */
export function templateForIndex(
  jobName: string,
  template: PodTemplateSpec,
  index: number,
  annotations: Record<string, string>,
): PodTemplateSpec {
  const withNumber = (container: Container): Container => {
    const { env = [] } = container
    if (env.some(({ name }) => name === environmentName)) return container
    const fieldRef = { fieldPath: `metadata.labels['${indexAnnotation}']` }
    return { ...container, env: [...env, { name: environmentName, valueFrom: { fieldRef } }] }
  }
  const { metadata, spec } = template
  const text = String(index)
  return {
    metadata: {
      ...metadata,
      labels: { ...metadata?.labels, [indexAnnotation]: text },
      annotations: { ...metadata?.annotations, [indexAnnotation]: text, ...annotations },
    },
    spec: {
      ...spec,
      containers: (spec?.containers ?? []).map(withNumber),
      ...(spec?.initContainers ? { initContainers: spec.initContainers.map(withNumber) } : {}),
      hostname: `${jobName}-${index}`,
    },
  }
}

/** The beginning of the pod's name: `job-7-`, the job's name cut off where it is too long. */
export function prefixForIndex(jobName: string, index: number): string {
  const end = `-${index}-`
  return `${jobName.slice(0, maxPrefixChars - end.length)}${end}`
}
