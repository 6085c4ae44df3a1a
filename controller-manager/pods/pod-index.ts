import type { Pod } from '../../api/generated/types.ts'
import type { Informer, InformerFactory } from '../../client/informer.ts'
import { pods } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { controllerOf } from './ownership.ts'

const byController = 'controller'
const indexed = new WeakSet<object>()

/** The shared informer of pods, with the index that {@link podsOf} and {@link orphanPods} ask. */
export function podInformer(informers: InformerFactory): Informer<Pod> {
  const informer = informers.for<Pod>(pods)
  if (!indexed.has(informer)) {
    indexed.add(informer)
    informer.addIndexers({
      [byController]: (pod) => {
        const controller = controllerOf(pod)
        return [controller ? controller.uid : orphansOf(pod.metadata.namespace)]
      },
    })
  }
  return informer
}

/** The pods whose controller has this uid. */
export const podsOf = (informer: Informer<Pod>, uid: string | undefined): Live<Pod>[] =>
  informer.lister.byIndex(byController, uid ?? '')

/** The pods of a namespace that no controller manages. */
export const orphanPods = (informer: Informer<Pod>, namespace: string | undefined): Live<Pod>[] =>
  informer.lister.byIndex(byController, orphansOf(namespace))

/** A uid holds no slash. */
const orphansOf = (namespace = ''): string => `/${namespace}`
