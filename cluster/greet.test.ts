import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { StatusError } from '../api/machinery/errors.ts'
import {
  clusterRoleBindings,
  clusterRoles,
  services,
  storageClasses,
  volumeSnapshotClasses,
} from '../client/resources.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import { prepareServer } from './greet.ts'

const manifests = fileURLToPath(new URL('../manifests/system', import.meta.url))

test('a server that is not ours gets what the system needs, as far as it has the kinds, and loses nothing', async () => {
  const api = new MemoryApi()
  api.fault = ({ resource }) => {
    if (resource.startsWith('volumesnapshot')) throw new StatusError(404, 'NotFound', '404 page not found')
  }
  const own = { metadata: { name: 'system:controller:csi-attacher-controller' }, rules: [] }
  await api.create(clusterRoles, own)
  await prepareServer(api, manifests)
  expect(api.objects(services).map(({ metadata }) => metadata.name)).toEqual(['kube-dns'])
  expect(api.objects(storageClasses).length).toBeGreaterThan(0)
  expect(api.objects(volumeSnapshotClasses)).toEqual([])
  const roles = new Map(api.objects(clusterRoles).map(({ metadata, rules }) => [metadata.name, rules]))
  expect(roles.get('system:controller:csi-attacher-controller')).toEqual([])
  expect(roles.get('system:controller:csi-provisioner-controller')).toContainEqual({
    apiGroups: [''],
    resources: ['nodes/proxy'],
    verbs: ['create'],
  })
  const subjectsOf = (name: string) =>
    api.objects(clusterRoleBindings).find(({ metadata }) => metadata.name === name)?.subjects
  expect(roles.get('gantry:node-network')).toContainEqual({
    apiGroups: ['networking.k8s.io'],
    resources: ['networkpolicies'],
    verbs: ['list', 'watch'],
  })
  expect(subjectsOf('gantry:node-network')).toMatchObject([{ kind: 'Group', name: 'system:nodes' }])
  expect(subjectsOf('system:controller:csi-provisioner-controller')).toContainEqual({
    kind: 'ServiceAccount',
    name: 'csi-provisioner-controller',
    namespace: 'kube-system',
  })
})

test('a server that lacks what all have is told of', async () => {
  const api = new MemoryApi()
  api.fault = ({ resource }) => {
    if (resource === 'storageclasses') throw new StatusError(404, 'NotFound', '404 page not found')
  }
  await expect(prepareServer(api, manifests)).rejects.toThrow('404 page not found')
})
