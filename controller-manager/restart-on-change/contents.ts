import { createHash } from 'node:crypto'
import type { ConfigMap, Secret } from '../../api/generated/types.ts'
import { Informer } from '../../client/informer.ts'
import { configMaps, secrets } from '../../client/resources.ts'
import type { Api, Clock, Live, ResourceRef } from '../../client/types.ts'

/** What is kept of a config map or a secret. */
interface Kept {
  digest?: string
}

export type ContentKind = 'configmaps' | 'secrets'

/** The contents of all config maps and secrets, as digests: they are many and large, and nothing else of them matters. */
export interface Contents {
  /** Resolves when all are known. Nothing is asked of the server before the first call. */
  start(signal: AbortSignal): Promise<void>
  digest(kind: ContentKind, namespace: string, name: string): string | undefined
}

/** `changed` is called with the namespace of whatever appears or changes. */
export function watchContents(api: Api, clock: Clock, changed: (namespace: string) => void): Contents {
  const follow = (ref: ResourceRef) => {
    const informer = new Informer<Kept>(api, ref as ResourceRef<Kept>, { clock, transform: digested })
    informer.on({
      add: ({ metadata }) => changed(metadata.namespace ?? ''),
      update: (before, after) => {
        if (before.digest !== after.digest) changed(after.metadata.namespace ?? '')
      },
    })
    return informer
  }
  const kinds = { configmaps: follow(configMaps), secrets: follow(secrets) }
  return {
    async start(signal) {
      await Promise.all(Object.values(kinds).map((informer) => informer.start(signal)))
    },
    digest: (kind, namespace, name) => kinds[kind].lister.get(namespace, name)?.digest,
  }
}

function digested(object: Live<Kept>): Live<Kept> {
  const { name, namespace, uid, resourceVersion } = object.metadata
  const kept = { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) }
  return {
    metadata: { ...kept, ...(resourceVersion ? { resourceVersion } : {}) },
    digest: digestOf(object as Live<ConfigMap | Secret>),
  }
}

/** The same for the same keys and values, whatever their order. */
export function digestOf(object: Pick<ConfigMap, 'data' | 'binaryData'> | Pick<Secret, 'data'>): string {
  const sorted = (data: object | undefined) => Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const content = [sorted(object.data), sorted('binaryData' in object ? object.binaryData : undefined)]
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16)
}
