import type { KeptPod } from '../../api/gantry/kept-logs.ts'
import { badRequestError } from '../../api/machinery/errors.ts'

/** A deleted pod, and the node that has its logs. */
export interface FoundPod extends KeptPod {
  node: string
}

export interface Owner {
  kind: string
  name: string
}

/** `Deployment/web`, in any case. Throws 400. */
export function parseOwner(text: string): Owner {
  const [kind = '', name = '', ...rest] = text.split('/')
  if (kind === '' || name === '' || rest.length > 0) {
    throw badRequestError(`owner: Invalid value: ${JSON.stringify(text)}: must be KIND/NAME, such as Deployment/web`)
  }
  return { kind: kind.toLowerCase(), name }
}

const templateHashLabel = 'pod-template-hash'

/**
 * Whether the pod belongs to the owner. The object between a pod and its Deployment or CronJob may be gone as well: it
 * tells by its name whose it was.
 */
export function isOwnedBy({ owners, labels }: Pick<KeptPod, 'owners' | 'labels'>, { kind, name }: Owner): boolean {
  return owners.some((owner) => {
    const of = owner.kind.toLowerCase()
    if (of === kind) return owner.name === name
    if (kind === 'deployment' && of === 'replicaset') return owner.name === `${name}-${labels[templateHashLabel]}`
    if (kind === 'cronjob' && of === 'job')
      return /^-\d+$/.test(owner.name.slice(name.length)) && owner.name.startsWith(name)
    return false
  })
}
