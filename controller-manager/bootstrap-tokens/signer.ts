import type { ConfigMap } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { configMaps } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { bootstrapTokenInformer } from './informer.ts'
import { signedData } from './tokens.ts'

const place = { namespace: 'kube-public', name: 'cluster-info' }
const key = `${place.namespace}/${place.name}`

/** Signs `cluster-info` with each bootstrap token that may, so that who holds one can trust what it reads there. */
export function newBootstrapSignerController(deps: ControllerDeps): Controller {
  const { api, clock, informers } = deps
  const queue = new WorkQueue({ clock, name: 'bootstrap_signer_queue' })
  const tokens = bootstrapTokenInformer(deps)
  const infos = informers.own<ConfigMap>(configMaps, {
    namespace: place.namespace,
    fieldSelector: `metadata.name=${place.name}`,
  })
  const look = () => queue.add(key)
  tokens.on({ add: look, update: look, delete: look })
  infos.on({ add: look, update: look })
  return {
    name: 'bootstrapsigner',
    workers: 1,
    queue,
    async start(signal) {
      await Promise.all([tokens.start(signal), infos.start(signal)])
    },
    async reconcile(_, signal) {
      const info = infos.lister.get(place.namespace, place.name)
      const data = info && signedData(info.data, tokens.lister.list(), clock.now())
      if (!data) return
      await api.update(configMaps, { ...info, data }, { signal }).catch((error: unknown) => {
        // Its next version brings it back.
        if (!isNotFound(error) && !isConflict(error)) throw error
      })
    },
  }
}
