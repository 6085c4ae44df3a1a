import type { Deployment, DeploymentSpec, PodTemplateSpec, ReplicaSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { controllerReference } from '../pods/ownership.ts'
import { sameTemplate, selectorWithHash, templateHash, withHash } from '../pods/template-hash.ts'
import { annotationNames } from './annotations.ts'
import { byAge, type Draft, draftOf, sizeAnnotations, totalReplicas } from './draft.ts'
import { annotationsForRevision, maxRevision } from './history.ts'
import { newSetReplicas } from './sizes.ts'

/**
 * Which of the deployment's sets is the one of its present template, ready to serve as the newest revision, and which are old.
 * Should several have the template, the oldest is it.
 */
export function splitSets(
  deployment: Live<Deployment>,
  sets: readonly Live<ReplicaSet>[],
): { fresh: Draft | undefined; old: Draft[] } {
  const drafts = sets.map(draftOf).sort(byAge)
  const found = drafts.find(({ set }) => sameTemplate(set.spec?.template, deployment.spec?.template))
  const old = drafts.filter((draft) => draft !== found)
  if (!found) return { fresh: undefined, old }
  const fresh = {
    ...found,
    annotations: annotationsForRevision(deployment, found.annotations, nextRevision(old)),
    minReadySeconds: deployment.spec?.minReadySeconds ?? 0,
  }
  return { fresh, old }
}

/** The set to be created for the present template, at once as large as the other sets leave room for. */
export function newSet(deployment: Live<Deployment>, old: readonly Draft[]): Draft {
  const spec = deployment.spec as DeploymentSpec
  const template: PodTemplateSpec = spec.template ?? {}
  const hash = templateHash(template, deployment.status?.collisionCount)
  const labelled = withHash(template, hash)
  const minReadySeconds = spec.minReadySeconds ?? 0
  const replicas = newSetReplicas(spec, totalReplicas(old), 0)
  const annotations = { ...annotationsForRevision(deployment, {}, nextRevision(old)), ...sizeAnnotations(spec) }
  const { namespace } = deployment.metadata
  const set: Live<ReplicaSet> = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: setName(deployment.metadata.name, hash),
      ...(namespace === undefined ? {} : { namespace }),
      labels: labelled.metadata?.labels ?? {},
      ownerReferences: [
        controllerReference({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: deployment.metadata }),
      ],
    },
    spec: { selector: selectorWithHash(spec.selector, hash), template: labelled },
  }
  return { set, exists: false, replicas, annotations, minReadySeconds }
}

/** The draft as an object to be written. */
export function objectOf({ set, replicas, annotations, minReadySeconds }: Draft): Live<ReplicaSet> {
  const { minReadySeconds: _, ...spec } = set.spec ?? { selector: {} }
  return {
    ...set,
    metadata: { ...set.metadata, annotations: { ...annotations } },
    spec: { ...spec, replicas, ...(minReadySeconds > 0 ? { minReadySeconds } : {}) },
  }
}

/** The revision that the deployment has with this set. */
export const revisionText = (draft: Draft | undefined): string | undefined =>
  draft?.annotations[annotationNames.revision]

const nextRevision = (old: readonly Draft[]): bigint => maxRevision(old.map(({ set }) => set)) + 1n

/** The same for the same template, so that a second try finds the first one's. Cut off where names end. */
const setName = (deployment: string, hash: string): string => `${deployment.slice(0, 252 - hash.length)}-${hash}`
