import { expect, test } from 'vitest'
import { builtinResources } from '../api/registry.ts'
import { systemObjects } from './system-objects.ts'

const resources = builtinResources({ eventTtlSeconds: 3600 })
const at = (securePort: number) => {
  const wanted = systemObjects({
    lookup: (group, plural) => {
      const found = resources.find((resource) => resource.group === group && resource.plural === plural)
      if (!found) throw new Error(`${plural}.${group} is not a kind`)
      return found
    },
    serviceClusterIpRange: '10.96.0.0/16',
    apiServiceIp: '10.96.0.1',
    advertiseAddress: '192.0.2.1',
    securePort,
    clientCa: 'pem',
    frontProxyCa: 'pem',
    nowMs: 0,
  })
  const service = wanted.find(({ resource, object }) => resource.plural === 'services' && object.metadata.name)
  if (!service?.reconcile) throw new Error('the service kubernetes is not kept up to date')
  return { object: service.object, reconcile: service.reconcile }
}

test('the service kubernetes follows a server that moved to another port, and is else left alone', () => {
  const { object } = at(6443)
  expect(at(6443).reconcile(object)).toBeUndefined()
  const moved = at(7443).reconcile(object)
  expect(moved).toMatchObject({ spec: { clusterIP: '10.96.0.1', ports: [{ port: 443, targetPort: 7443 }] } })
  expect(at(7443).reconcile(moved as typeof object)).toBeUndefined()
})
