import { expect, test } from 'vitest'
import type { EndpointSlice, Pod, Service, ServiceSpec } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { serviceHint } from './service-hint.ts'

const service = (spec: ServiceSpec) => ({ metadata: { name: 'web', namespace: 'shop' }, spec }) as Live<Service>
const pod = (labels: Record<string, string>, portName?: string) =>
  ({
    metadata: { name: 'web-1', namespace: 'shop', labels },
    spec: { containers: [{ name: 'app', ports: portName ? [{ name: portName, containerPort: 80 }] : [] }] },
  }) as Live<Pod>
const answering = (ready: boolean) =>
  [{ addressType: 'IPv4', endpoints: [{ addresses: ['10.244.0.2'], conditions: { ready } }] }] as EndpointSlice[]

const selector = { app: 'web' }

test('a service that is answered for needs none, nor one that chooses no pods', () => {
  expect(serviceHint(service({ selector }), answering(true), [pod({ app: 'web' })])).toBeUndefined()
  expect(serviceHint(service({}), [], [])).toBeUndefined()
  expect(serviceHint(service({ type: 'ExternalName', selector }), [], [])).toBeUndefined()
})

test('labels that no pod has are shown, with those that were most likely meant', () => {
  const wrong = service({ selector: { app: 'wbe' } })
  expect(serviceHint(wrong, [], [pod({ app: 'web', tier: 'front' })])).toMatch(
    /no pod of shop has the labels app=wbe\. Did you mean app=web\?/,
  )
  expect(serviceHint(wrong, [], [pod({ app: 'database' })])).not.toContain('Did you mean')
})

test('pods that are not ready are named', () => {
  expect(serviceHint(service({ selector }), answering(false), [pod({ app: 'web' })])).toContain(
    'of its one pod none is ready. `gantry describe pod web-1 -n shop`',
  )
  const empty = [{ addressType: 'IPv4', endpoints: null }] as never
  expect(serviceHint(service({ selector }), empty, [pod({ app: 'web' })])).toContain('none is ready')
})

test('a port by a name that no container gives one is told with the names there are', () => {
  const named = service({ selector, ports: [{ port: 80, targetPort: 'htpp' }] })
  expect(serviceHint(named, answering(true), [pod({ app: 'web' }, 'http')])).toContain(
    "its targetPort htpp is none of the ports in its pods' containers: they are called http",
  )
  const right = service({ selector, ports: [{ port: 80, targetPort: 'http' }] })
  expect(serviceHint(right, answering(true), [pod({ app: 'web' }, 'http')])).toBeUndefined()
})

test('a number that is none of the ports its pods list is told, where all of them list theirs', () => {
  const listing = (...numbers: number[]) =>
    ({
      metadata: { name: 'web-1', namespace: 'shop', labels: selector },
      spec: { containers: [{ name: 'app', ports: numbers.map((containerPort) => ({ containerPort })) }] },
    }) as Live<Pod>
  const to = (...ports: { port: number; targetPort?: number }[]) => service({ selector, ports })
  expect(serviceHint(to({ port: 80, targetPort: 8081 }), answering(true), [listing(8080)])).toBe(
    'its pods list the port 8080, and it sends to 8081: if nothing listens there, correct targetPort',
  )
  expect(serviceHint(to({ port: 80 }), answering(true), [listing(8080, 9090)])).toContain(
    'list the ports 8080, 9090, and it sends to 80',
  )
  expect(serviceHint(to({ port: 80, targetPort: 8080 }), answering(true), [listing(8080)])).toBeUndefined()
  expect(serviceHint(to({ port: 80, targetPort: 8081 }), answering(true), [listing(8080), listing()])).toBeUndefined()
})
