import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Container, Service } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { boundPod, container } from '../testing/builders.ts'
import { type EnvironmentInputs, environmentOf } from './env.ts'
import { expand } from './expand.ts'
import { serviceEnvironment } from './service-env.ts'

const values = (name: string) => ({ A: 'a', B: 'b', EMPTY: '' })[name]

describe('references to variables', () => {
  it.each([
    ['$(A)', 'a'],
    ['x$(A)y$(B)z', 'xaybz'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$(NONE)', '$(NONE)'],
    ['$(EMPTY)', ''],
    ['$(A', '$(A'],
    ['$A', '$A'],
    ['100$', '100$'],
    ['$()', '$()'],
    ['$($(A))', '$($(A))'],
  ])('%s becomes %s', (text, expected) => {
    expect(expand(text, values)).toBe(expected)
  })

  it('leave a text without a dollar sign alone', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll('$', '')
        expect(expand(plain, values)).toBe(plain)
      }),
    )
  })
})

describe('services', () => {
  const service = (name: string, namespace: string, clusterIP: string): Live<Service> => ({
    metadata: { name, namespace },
    spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  })
  const all = [
    service('kubernetes', 'default', '10.96.0.1'),
    service('my-db', 'shop', '10.96.0.7'),
    service('headless', 'shop', 'None'),
    service('other', 'elsewhere', '10.96.0.8'),
  ]

  it('are told of as upstream does', () => {
    expect(Object.fromEntries(serviceEnvironment(all, 'shop', true))).toMatchObject({
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      MY_DB_SERVICE_HOST: '10.96.0.7',
      MY_DB_SERVICE_PORT: '80',
      MY_DB_SERVICE_PORT_HTTP: '80',
      MY_DB_PORT: 'tcp://10.96.0.7:80',
      MY_DB_PORT_80_TCP: 'tcp://10.96.0.7:80',
      MY_DB_PORT_80_TCP_PROTO: 'tcp',
      MY_DB_PORT_80_TCP_PORT: '80',
      MY_DB_PORT_80_TCP_ADDR: '10.96.0.7',
    })
  })

  it('of other namespaces, or without links, are not, but for the API server', () => {
    expect([...serviceEnvironment(all, 'shop', true).keys()].some((name) => /OTHER|HEADLESS/.test(name))).toBe(false)
    expect([...serviceEnvironment(all, 'shop', false).keys()].every((name) => name.startsWith('KUBERNETES'))).toBe(true)
  })
})

describe('the environment', () => {
  const inputs = (main: Partial<Container>): EnvironmentInputs => ({
    pod: boundPod({ metadata: { labels: { app: 'x' } } }),
    container: container('main', main),
    facts: { podIps: ['10.0.0.5'], hostIps: ['192.0.2.1'], nodeName: 'n1', allocatable: { cpu: '4', memory: '1Gi' } },
    services: new Map([['SERVICE', 's']]),
    objects: {
      configMap: async (_, name) => (name === 'cm' ? { metadata: { name }, data: { k: 'v', l: 'w' } } : undefined),
      secret: async (_, name) => (name === 'sec' ? { metadata: { name }, data: { k: 'c2VjcmV0' } } : undefined),
    },
    readVolumeFile: async () => "A=1\nB='two'\n",
  })
  const of = async (main: Partial<Container>) => Object.fromEntries(await environmentOf(inputs(main)))

  it('takes values from everywhere, later ones before earlier ones', async () => {
    const result = await of({
      envFrom: [{ configMapRef: { name: 'cm' } }, { prefix: 'S_', secretRef: { name: 'sec' } }],
      env: [
        { name: 'k', value: 'own $(l) $(SERVICE) $(LATER)' },
        { name: 'LATER', value: 'x' },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } },
        { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'sec', key: 'k' } } },
        { name: 'GONE', valueFrom: { secretKeyRef: { name: 'none', key: 'k', optional: true } } },
        { name: 'FILE', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'B' } } },
      ],
    })
    expect(result).toEqual({
      k: 'own w s $(LATER)',
      l: 'w',
      S_k: 'secret',
      LATER: 'x',
      IP: '10.0.0.5',
      APP: 'x',
      KEY: 'v',
      SECRET: 'secret',
      FILE: 'two',
      SERVICE: 's',
    })
  })

  it('tells resources in units of the divisor, and what the node has where there is no limit', async () => {
    const resource = (name: string, divisor?: string) => ({
      valueFrom: { resourceFieldRef: { resource: name, ...(divisor ? { divisor } : {}) } },
    })
    const result = await of({
      resources: { limits: { cpu: '1500m' }, requests: { memory: '100Mi' } },
      env: [
        { name: 'CPU', ...resource('limits.cpu') },
        { name: 'MILLI', ...resource('limits.cpu', '1m') },
        { name: 'ASKED', ...resource('requests.memory', '1Mi') },
        { name: 'NODE', ...resource('limits.memory', '1Mi') },
      ],
    })
    expect(result).toMatchObject({ CPU: '2', MILLI: '1500', ASKED: '100', NODE: '1024' })
  })

  it.each([
    [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'none' } } }] },
      "couldn't find key none in ConfigMap default/cm",
    ],
    [{ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] }, 'secret "none" not found'],
  ])('says what is missing', async (main, message) => {
    await expect(of(main)).rejects.toThrow(message)
  })
})
