import type { Pod, PodTemplateSpec } from '../../api/generated/types.ts'
import { nameIsDNSSubdomain } from '../../api/machinery/names.ts'
import { isConflict, isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import type { EventRecorder } from '../../client/events.ts'
import { pods } from '../../client/resources.ts'
import type { Api, Live, Submitted } from '../../client/types.ts'
import { controllerReference, type Owner } from './ownership.ts'

interface Means {
  api: Api
  events: EventRecorder
  signal: AbortSignal
}

/** The pod that a template stands for, owned by `owner`. It has no name yet: the server makes one from the owner's. */
export function podFromTemplate(owner: Owner, template: PodTemplateSpec): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  const { name, namespace } = owner.metadata
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: podNamePrefix(name),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    ...(template.spec ? { spec: template.spec } : {}),
  }
}

/** The owner's name and a dash, unless that is no name. */
export function podNamePrefix(ownerName: string): string {
  const prefix = `${ownerName}-`
  return nameIsDNSSubdomain(prefix, true).length === 0 ? prefix : ownerName
}

/**
 * Creates a pod for `owner` and tells of it in an event on the owner, as upstream words it. In a namespace that is being
 * deleted the refusal makes no event. Throws what the server answers.
 */
export async function createPod({ api, events, signal }: Means, owner: Owner, pod: Pod): Promise<Submitted> {
  signal.throwIfAborted()
  try {
    const created = await api.submit(pods, pod)
    events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.name}`)
    return created
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`)
    }
    throw error
  }
}

/**
 * Deletes a pod of `owner` with its own grace period; only the very pod, not one that took its name meanwhile. Returns false
 * if it was gone already.
 */
export async function deletePod({ api, events, signal }: Means, owner: Owner, pod: Live<Pod>): Promise<boolean> {
  const { namespace, name, uid } = pod.metadata
  try {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } }
    await api.delete(pods, { namespace, name }, { ...preconditions, signal })
    events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    return true
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false
    events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`)
    throw new Error(`unable to delete pods: ${(error as Error).message}`, { cause: error })
  }
}
