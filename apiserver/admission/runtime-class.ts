import type { Pod, RuntimeClass, Toleration } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { compareQuantity } from '../../api/machinery/quantity.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

/** Adds to a pod what its runtime class costs and which nodes have it. */
export function createRuntimeClass({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  const classes = lookup('node.k8s.io', 'runtimeclasses')

  const classOf = async (attributes: AdmissionAttributes): Promise<Stored<RuntimeClass> | undefined> => {
    const name = (attributes.object as unknown as Stored<Pod>).spec?.runtimeClassName
    if (name === undefined) return undefined
    const found =
      client.cached<Stored<RuntimeClass>>(classes, '', name) ??
      (await client.get<Stored<RuntimeClass>>(classes, '', name))
    if (!found) throw refuse(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
    return found
  }

  return {
    name: 'RuntimeClass',
    // Most pods name no class and carry no overhead: nothing to do for them.
    handles({ resource, operation, subresource, object }) {
      if (resource !== pods || operation !== 'CREATE' || subresource !== '') return false
      const { spec } = object as unknown as Stored<Pod>
      return spec?.runtimeClassName !== undefined || spec?.overhead !== undefined
    },
    async admit(attributes) {
      const found = await classOf(attributes)
      const { spec } = attributes.object as unknown as Stored<Pod>
      if (!found || !spec) return
      const fixed = found.overhead?.podFixed
      if (found.overhead) {
        if (Object.keys(spec.overhead ?? {}).length > 0 && !sameQuantities(spec.overhead, fixed))
          throw mismatch(attributes)
        if (fixed) spec.overhead = { ...fixed }
      }
      for (const [key, value] of Object.entries(found.scheduling?.nodeSelector ?? {})) {
        const own = spec.nodeSelector?.[key]
        if (own !== undefined && own !== value) {
          throw refuse(
            attributes,
            `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
          )
        }
        spec.nodeSelector = { ...spec.nodeSelector, [key]: value }
      }
      const tolerations = found.scheduling?.tolerations ?? []
      if (tolerations.length > 0) spec.tolerations = mergeTolerations(spec.tolerations ?? [], tolerations)
    },
    async validate(attributes) {
      const found = await classOf(attributes)
      const { spec } = attributes.object as unknown as Stored<Pod>
      if (found?.overhead) {
        if (!sameQuantities(spec?.overhead, found.overhead.podFixed)) throw mismatch(attributes)
      } else if (spec?.overhead !== undefined) {
        throw refuse(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
      }
    },
  }
}

const mismatch = (attributes: AdmissionAttributes) =>
  refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")

function sameQuantities(a: Record<string, string> = {}, b: Record<string, string> = {}): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => b[name] !== undefined && compareQuantity(a[name] ?? '0', b[name]) === 0)
  )
}

/** The pod's own first; of two where one covers the other, the wider. */
function mergeTolerations(own: readonly Toleration[], more: readonly Toleration[]): Toleration[] {
  const all = [...own, ...more]
  return all.filter(
    (toleration, i) =>
      !all.some((other, j) => j !== i && covers(other, toleration) && (!covers(toleration, other) || j < i)),
  )
}

function covers(wide: Toleration, narrow: Toleration): boolean {
  if ((wide.key ?? '') === '' && wide.operator === 'Exists') {
    return !wide.effect || wide.effect === narrow.effect
  }
  if (wide.key !== narrow.key) return false
  if (wide.effect && wide.effect !== narrow.effect) return false
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || wide.tolerationSeconds < narrow.tolerationSeconds) return false
  }
  if (wide.operator === 'Exists') return true
  return (wide.operator ?? 'Equal') === (narrow.operator ?? 'Equal') && (wide.value ?? '') === (narrow.value ?? '')
}
