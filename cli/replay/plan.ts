import type { NamedObject } from '../objects.ts'
import type { RecordedLine } from '../past/recording.ts'

type ObjectLine = Extract<RecordedLine, { object: NamedObject }>

/** What others need is made before them: namespaces, then what pods are admitted by, and pods when all else is there. */
const order = [
  'namespaces',
  'priorityclasses.scheduling.k8s.io',
  'runtimeclasses.node.k8s.io',
  'storageclasses.storage.k8s.io',
  'serviceaccounts',
  'nodes',
]

/** What there was at first, in an order in which it can be made: owners before what they own. */
export function inOrder(lines: readonly ObjectLine[]): ObjectLine[] {
  const byUid = new Map(lines.map((line) => [line.object.metadata.uid, line]))
  const ordered = new Set<ObjectLine>()
  const visiting = new Set<ObjectLine>()
  const visit = (line: ObjectLine) => {
    if (visiting.has(line)) return
    visiting.add(line)
    for (const { uid } of line.object.metadata.ownerReferences ?? []) {
      const owner = byUid.get(uid)
      if (owner) visit(owner)
    }
    ordered.add(line)
  }
  for (const line of [...lines].sort((a, b) => rank(a.resource) - rank(b.resource))) visit(line)
  return [...ordered]
}

function rank(resource: string): number {
  if (resource === 'pods') return order.length + 1
  const at = order.indexOf(resource)
  return at < 0 ? order.length : at
}

/** What is of its own cluster alone: heartbeats, certificates, addresses given with services, and the API server's service. */
export const isReplayed = ({ resource, object: { metadata } }: ObjectLine): boolean =>
  resource !== 'certificatesigningrequests.certificates.k8s.io' &&
  resource !== 'leases.coordination.k8s.io' &&
  resource !== 'ipaddresses.networking.k8s.io' &&
  !(resource === 'services' && metadata.namespace === 'default' && metadata.name === 'kubernetes')

/** Recorded objects in terms of those made of them: who owns whom goes by uid, and these are new. */
export class Mapping {
  readonly #uids = new Map<string, string>()

  /** The object to write, without what the server gives, and without finalizers: whoever takes them away is not here. */
  mapped({ status: _status, ...object }: NamedObject): NamedObject {
    const { name, namespace, labels, annotations, ownerReferences } = object.metadata
    const owners = ownerReferences?.map((owner) => ({ ...owner, uid: this.#uids.get(owner.uid) ?? owner.uid }))
    return {
      ...object,
      metadata: {
        name,
        ...(namespace ? { namespace } : {}),
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
        ...(owners ? { ownerReferences: owners } : {}),
      },
    }
  }

  learn(recorded: NamedObject, made: NamedObject): void {
    if (recorded.metadata.uid && made.metadata.uid) this.#uids.set(recorded.metadata.uid, made.metadata.uid)
  }
}
