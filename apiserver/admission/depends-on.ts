import { mirrorAnnotation } from '../../api/core/pod-spec/annotations.ts'
import {
  type Dependent,
  dependenciesGate,
  dependencyCycle,
  dependsOnAnnotation,
  parseDependencies,
} from '../../api/gantry/depends-on.ts'
import type { ObjectMeta, Pod, Service } from '../../api/generated/types.ts'
import { invalidError } from '../../api/machinery/errors.ts'
import { forbidden, invalid } from '../../api/machinery/field-errors.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { AdmissionContext } from './context.ts'
import { templateOf } from './pod-template.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

/** What the annotation calls the kinds that can stand in a ring. */
const words: readonly { group: string; plural: string; word: string }[] = [
  { group: '', plural: 'pods', word: 'pod' },
  { group: '', plural: 'replicationcontrollers', word: 'replicationcontroller' },
  { group: 'apps', plural: 'replicasets', word: 'replicaset' },
  { group: 'apps', plural: 'deployments', word: 'deployment' },
  { group: 'apps', plural: 'statefulsets', word: 'statefulset' },
  { group: 'apps', plural: 'daemonsets', word: 'daemonset' },
  { group: 'batch', plural: 'jobs', word: 'job' },
  { group: 'batch', plural: 'cronjobs', word: 'cronjob' },
]

/**
 * Holds back pods annotated with `gantry.dev/depends-on`: gives them a scheduling gate, which a controller takes away when
 * what they depend on is ready. Refuses dependencies that go round in a ring.
 */
export function createDependsOn({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  const services = lookup('', 'services')
  const kinds = new Map(words.map(({ group, plural, word }): [Resource, string] => [lookup(group, plural), word]))

  const dependentsIn = (namespace: string): Dependent[] =>
    [...kinds].flatMap(([resource, word]) =>
      client
        .cachedList(resource, namespace)
        // What has a controller starts as that does.
        .filter(({ metadata }) => !isManaged(metadata))
        .map((object) => dependentOf(resource, word, object)),
    )

  const refuseRing = (attributes: AdmissionAttributes, own: string, field: string): void => {
    const { namespace, resource, name } = attributes
    const object = attributes.object as AnyObject
    const word = kinds.get(resource)
    const dependents = dependentsIn(namespace).filter(({ id }) => id !== own)
    if (word !== undefined) dependents.push(dependentOf(resource, word, object))
    const selecting = client
      .cachedList<Stored<Service>>(services, namespace)
      .filter(({ metadata }) => resource !== services || metadata.name !== name)
      .concat(resource === services ? [object as unknown as Stored<Service>] : [])
      .map(({ metadata, spec }) => ({ name: metadata.name ?? '', selector: spec?.selector ?? {} }))
    const ring = dependencyCycle(own, dependents, selecting)
    if (!ring) return
    const value = annotationOf(resource, object) ?? (object as unknown as Stored<Service>).spec?.selector
    throw invalidError(resource, name || (object.metadata.name ?? ''), [
      invalid(field, value, `depends on itself: ${ring.join(' waits for ')}, so none of them could ever start`),
    ])
  }

  return {
    name: 'DependsOn',
    handles({ operation, resource, subresource, object }) {
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || subresource !== '' || !object) return false
      if (resource === services)
        return Object.keys((object as unknown as Stored<Service>).spec?.selector ?? {}).length > 0
      return kinds.has(resource) && annotationOf(resource, object) !== undefined
    },
    admit(attributes) {
      const { resource, operation, name } = attributes
      if (resource !== pods || operation !== 'CREATE') return
      const { metadata, spec } = attributes.object as unknown as Stored<Pod>
      // A node's own pod runs already, and is only shown.
      if (!spec || metadata.annotations?.[mirrorAnnotation] !== undefined) return
      if (spec.nodeName) {
        const why = 'may not be set on a pod that names its node: only what is to be scheduled can be held back'
        throw invalidError(resource, name || (metadata.name ?? ''), [
          forbidden(`metadata.annotations[${dependsOnAnnotation}]`, why),
        ])
      }
      const gates = spec.schedulingGates ?? []
      if (gates.some((gate) => gate.name === dependenciesGate)) return
      spec.schedulingGates = [...gates, { name: dependenciesGate }]
    },
    validate(attributes) {
      const { resource, name } = attributes
      const object = attributes.object as AnyObject
      if (isManaged(object.metadata)) return
      const own = `${kinds.get(resource) ?? 'service'}/${name || (object.metadata.name ?? '')}`
      if (resource === services) return refuseRing(attributes, own, 'spec.selector')
      const at =
        resource === pods ? '' : resource.plural === 'cronjobs' ? 'spec.jobTemplate.spec.template.' : 'spec.template.'
      refuseRing(attributes, own, `${at}metadata.annotations[${dependsOnAnnotation}]`)
    },
  }
}

const isManaged = (metadata: ObjectMeta | undefined): boolean =>
  metadata?.ownerReferences?.some(({ controller }) => controller === true) ?? false

const metadataOf = (resource: Resource, object: AnyObject): ObjectMeta =>
  (resource.plural === 'pods' ? object.metadata : templateOf(resource)?.(object)?.metadata) ?? {}

const annotationOf = (resource: Resource, object: AnyObject): string | undefined =>
  metadataOf(resource, object).annotations?.[dependsOnAnnotation]

function dependentOf(resource: Resource, word: string, object: AnyObject): Dependent {
  const { labels = {} } = metadataOf(resource, object)
  const annotation = annotationOf(resource, object)
  return {
    id: `${word}/${object.metadata.name ?? ''}`,
    labels,
    dependencies: annotation === undefined ? [] : parseDependencies(annotation).dependencies,
  }
}
