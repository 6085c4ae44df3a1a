import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { sameTemplate, withoutHash } from '../pods/template-hash.ts'
import { annotationNames, staysBehind } from './annotations.ts'
import { lastRevision, parseRevision, revisionOf } from './history.ts'

export interface Rollback {
  deployment: Live<Deployment>
  event: { type: 'Normal' | 'Warning'; reason: string; message: string }
}

/** The revision that old clients ask for by annotation; 0 is the one before the current. Nowadays' patch the template. */
export function rollbackTarget({ metadata }: Live<Deployment>): bigint | undefined {
  return parseRevision(metadata.annotations?.[annotationNames.rollbackTo] ?? '')
}

/** The deployment with the template and annotations of that revision, and without the request for it. */
export function planRollback(
  deployment: Live<Deployment>,
  sets: readonly Live<ReplicaSet>[],
  target: bigint,
): Rollback {
  const done = withoutRequest(deployment)
  const revision = target === 0n ? lastRevision(sets) : target
  if (revision === 0n) return { deployment: done, event: notFound('Unable to find last revision.') }
  const set = sets.find(({ metadata }) => revisionOf(metadata.annotations) === revision)
  if (!set) return { deployment: done, event: notFound('Unable to find the revision to rollback to.') }
  const { name } = deployment.metadata
  if (sameTemplate(deployment.spec?.template, set.spec?.template)) {
    return {
      deployment: done,
      event: {
        type: 'Warning',
        reason: 'DeploymentRollbackTemplateUnchanged',
        message: `The rollback revision contains the same template as current deployment "${name}"`,
      },
    }
  }
  return {
    deployment: restored(done, set),
    event: {
      type: 'Normal',
      reason: 'DeploymentRollback',
      message: `Rolled back deployment "${name}" to revision ${revision}`,
    },
  }
}

const notFound = (message: string): Rollback['event'] => ({
  type: 'Warning',
  reason: 'DeploymentRollbackRevisionNotFound',
  message,
})

function withoutRequest(deployment: Live<Deployment>): Live<Deployment> {
  const { [annotationNames.rollbackTo]: _, ...annotations } = deployment.metadata.annotations ?? {}
  return { ...deployment, metadata: { ...deployment.metadata, annotations } }
}

/** The set's annotations come along: the change cause of that revision is the deployment's again. */
function restored(deployment: Live<Deployment>, set: Live<ReplicaSet>): Live<Deployment> {
  const pick = (annotations: Record<string, string> | undefined, own: boolean) =>
    Object.entries(annotations ?? {}).filter(([name]) => staysBehind(name) === own)
  const annotations = Object.fromEntries([
    ...pick(deployment.metadata.annotations, true),
    ...pick(set.metadata.annotations, false),
  ])
  const template: PodTemplateSpec = withoutHash(set.spec?.template ?? {})
  return {
    ...deployment,
    metadata: { ...deployment.metadata, annotations },
    spec: { selector: {}, ...deployment.spec, template },
  }
}
