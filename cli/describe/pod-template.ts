import type { PodTemplateSpec, Toleration, TopologySpreadConstraint } from '../../api/generated/types.ts'
import { formatLabelSelector } from '../../api/machinery/labels.ts'
import { containerLines } from './containers.ts'
import { annotationsField, field, fieldIf, indent, labelsField, listed } from './lines.ts'
import { volumeLines } from './volumes.ts'

/** What a workload makes its pods from. */
export function templateLines(template: PodTemplateSpec | undefined): string[] {
  if (!template) return ['Pod Template:', '  <unset>']
  const { metadata, spec } = template
  const shape = { nameIndent: ' ' }
  return [
    'Pod Template:',
    ...indent([
      ...labelsField('Labels', metadata?.labels),
      ...(Object.keys(metadata?.annotations ?? {}).length > 0
        ? annotationsField('Annotations', metadata?.annotations)
        : []),
      ...fieldIf('Service Account', spec?.serviceAccountName),
    ]),
    ...(spec?.initContainers?.length
      ? titleIndented(containerLines('Init Containers', { containers: spec.initContainers, ...shape }))
      : []),
    ...titleIndented(containerLines('Containers', { containers: spec?.containers ?? [], ...shape })),
    ...titleIndented(volumeLines(spec?.volumes, ' ')),
    ...indent([
      ...spreadLines(spec?.topologySpreadConstraints),
      ...fieldIf('Priority Class Name', spec?.priorityClassName),
      ...labelsField('Node-Selectors', spec?.nodeSelector),
      ...listed('Tolerations', tolerationTexts(spec?.tolerations)),
    ]),
  ]
}

/** Only the title moves in: as in kubectl, what is below stays where it is in a pod. */
const titleIndented = ([title = '', ...rest]: readonly string[]): string[] => [`  ${title}`, ...rest]

/** `key=value:NoSchedule op=Exists for 300s`, by key. */
export const tolerationTexts = (tolerations: readonly Toleration[] = []): string[] =>
  [...tolerations]
    .sort((a, b) => compare(a.key ?? '', b.key ?? ''))
    .map(({ key = '', value, effect, operator, tolerationSeconds }) => {
      const what = `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`
      const exists = operator === 'Exists' && !value ? `${what === '' ? '' : ' '}op=Exists` : ''
      return `${what}${exists}${tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`}`
    })

/** How pods are to be spread over the nodes. */
export function spreadLines(constraints: readonly TopologySpreadConstraint[] = []): string[] {
  if (constraints.length === 0) return []
  const texts = [...constraints]
    .sort((a, b) => compare(a.topologyKey, b.topologyKey))
    .map(({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }) => {
      const of = labelSelector ? ` for selector ${formatLabelSelector(labelSelector)}` : ''
      return `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${of}`
    })
  return texts.map((text, i) => (i === 0 ? field('Topology Spread Constraints', text) : `\t${text}`))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
