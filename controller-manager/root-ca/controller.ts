import { readFileSync } from 'node:fs'
import type { ConfigMap, Namespace } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNamespaceTerminating } from '../../client/errors.ts'
import { configMaps, namespaces } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

const mapName = 'kube-root-ca.crt'
const descriptionAnnotation = 'kubernetes.io/description'
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Publishes in each namespace the CA by which pods know the API server. */
export function newRootCaController({ api, clock, informers, log, options }: ControllerDeps): Controller {
  const ca = options.rootCaFile === '' ? options.apiServerCa : readFileSync(options.rootCaFile, 'utf8')
  const queue = new WorkQueue({ clock, name: 'root_ca_cert_publisher' })
  const all = informers.for<Namespace>(namespaces)
  // Only these: a cluster's config maps are many and large.
  const maps = informers.own<ConfigMap>(configMaps, { fieldSelector: `metadata.name=${mapName}` })
  all.on({ add: ({ metadata }) => queue.add(metadata.name), update: (_, { metadata }) => queue.add(metadata.name) })
  const look = ({ metadata }: { metadata: { namespace?: string } }) => queue.add(metadata.namespace ?? '')
  maps.on({ update: (_, after) => look(after), delete: look })
  return {
    name: 'root-ca-cert-publisher',
    workers: 1,
    queue,
    async start(signal) {
      if (ca === '') log.warn('no CA is known: kube-root-ca.crt is not published. Name one with --root-ca-file')
      await maps.start(signal)
    },
    async reconcile(namespace, signal) {
      const phase = all.lister.get(undefined, namespace)?.status?.phase
      if (ca === '' || phase === undefined || phase === 'Terminating') return
      const standing = maps.lister.get(namespace, mapName)
      const data = { 'ca.crt': ca }
      try {
        if (!standing) {
          const metadata = { name: mapName, namespace, annotations: { [descriptionAnnotation]: description } }
          await api.create(configMaps, { metadata, data }, { signal })
        } else if (JSON.stringify(standing.data) !== JSON.stringify(data)) {
          await api.update(configMaps, { ...standing, data }, { signal })
        }
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
      }
    },
  }
}
