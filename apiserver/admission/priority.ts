import type { Pod, PriorityClass } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

/** Turns the name of a priority class into the number the scheduler uses, and keeps default classes to one. */
export function createPriority({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  const classes = lookup('scheduling.k8s.io', 'priorityclasses')

  /** Of several defaults, made in a race, the lowest. */
  const defaultClass = (): Stored<PriorityClass> | undefined =>
    client
      .cachedList<Stored<PriorityClass>>(classes, '')
      .filter(({ globalDefault }) => globalDefault)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]

  const find = async (attributes: AdmissionAttributes, name: string): Promise<Stored<PriorityClass>> => {
    const found =
      client.cached<Stored<PriorityClass>>(classes, '', name) ??
      (await client.get<Stored<PriorityClass>>(classes, '', name))
    if (!found) throw refuse(attributes, `no PriorityClass with name ${name} was found`)
    return found
  }

  const admitPod = async (attributes: AdmissionAttributes): Promise<void> => {
    const { spec } = attributes.object as unknown as Stored<Pod>
    if (!spec) return
    if (attributes.operation === 'UPDATE') {
      const old = (attributes.old as unknown as Stored<Pod>).spec
      if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority
      if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined) {
        spec.preemptionPolicy = old.preemptionPolicy
      }
      return
    }
    const chosen = spec.priorityClassName ? await find(attributes, spec.priorityClassName) : defaultClass()
    if (chosen?.metadata.name) spec.priorityClassName = chosen.metadata.name
    const priority = chosen?.value ?? 0
    if (spec.priority !== undefined && spec.priority !== priority) {
      throw refuse(
        attributes,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
      )
    }
    spec.priority = priority
    const policy = chosen ? chosen.preemptionPolicy : 'PreemptLowerPriority'
    if (policy === undefined) return
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
      throw refuse(
        attributes,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      )
    }
    spec.preemptionPolicy = policy
  }

  return {
    name: 'Priority',
    handles: ({ resource, operation, subresource }) =>
      subresource === '' &&
      (resource === pods || resource === classes) &&
      (operation === 'CREATE' || operation === 'UPDATE'),
    admit(attributes) {
      return attributes.resource === pods ? admitPod(attributes) : undefined
    },
    validate(attributes) {
      if (attributes.resource !== classes) return
      const { globalDefault, metadata } = attributes.object as unknown as Stored<PriorityClass>
      if (!globalDefault) return
      const standing = defaultClass()?.metadata.name
      if (standing === undefined || (attributes.operation === 'UPDATE' && standing === metadata.name)) return
      throw refuse(attributes, `PriorityClass ${standing} is already marked as default. Only one default can exist`)
    },
  }
}
