import type { Pod } from '../../api/generated/types.ts'
import type { Informer } from '../../client/informer.ts'
import type { Live } from '../../client/types.ts'

/** The index that {@link podsOnNode} asks. */
export const podsByNode = { node: ({ spec }: Live<Pod>) => (spec?.nodeName ? [spec.nodeName] : []) }

/** The pods bound to the node. */
export const podsOnNode = (pods: Informer<Pod>, node: string): Live<Pod>[] => pods.lister.byIndex('node', node)
