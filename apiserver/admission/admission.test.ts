import { beforeEach, describe, expect, test } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { alwaysDeny } from '../auth/authorizer.ts'
import { MemoryClient } from '../auth/testing/memory-client.ts'
import type { Authorizer, UserInfo } from '../auth/types.ts'
import { createAuthority } from '../pki/issue.ts'
import { AdmissionChain } from './chain.ts'
import type { AdmissionContext } from './context.ts'
import { createAdmissionPlugins } from './plugins.ts'
import type { AdmissionAttributes } from './types.ts'

let client: MemoryClient
let nowMs: number
let allowed: string[]
let warnings: string[]
const authorizer: Authorizer = {
  ...alwaysDeny,
  authorize: ({ verb, resource, name }) => ({ allowed: allowed.includes(`${verb} ${resource} ${name}`), reason: 'no' }),
}

beforeEach(() => {
  client = new MemoryClient()
  nowMs = 0
  allowed = []
  warnings = []
  client.put('', 'namespaces', { metadata: { name: 'web' }, status: { phase: 'Active' } })
  client.put('', 'serviceaccounts', { metadata: { name: 'default', namespace: 'web' } })
})

const context = (): AdmissionContext => ({
  client,
  lookup: client.lookup,
  lookupKind: (group, kind) => (kind === 'ReplicaSet' ? client.lookup(group, 'replicasets') : undefined),
  authorizer,
  now: () => nowMs,
  sleep: async () => {},
})
/** A chain of one plugin. */
const only = (...names: string[]) =>
  new AdmissionChain(createAdmissionPlugins(context(), { enable: names }).filter(({ name }) => names.includes(name)))

const request = (what: string, object?: object, more: Partial<AdmissionAttributes> = {}): AdmissionAttributes => {
  const [operation, path = ''] = what.split(' ')
  const [group = '', plural = '', subresource = ''] = path.split('/')
  const resource = client.lookup(group, plural)
  const meta = (object as AnyObject | undefined)?.metadata ?? (more.old as AnyObject | undefined)?.metadata
  return {
    operation: operation as AdmissionAttributes['operation'],
    resource,
    subresource,
    namespace: resource.namespaced ? 'web' : '',
    name: meta?.name ?? '',
    ...(object ? { object: object as AnyObject } : {}),
    user: { name: 'jane', groups: ['system:authenticated'] },
    dryRun: false,
    warn: (message) => warnings.push(message),
    ...more,
  }
}
const container = (more: object = {}) => ({ name: 'c', image: 'nginx', ...more })
const pod = (spec: object = {}, metadata: object = {}) => ({
  metadata: { name: 'p', namespace: 'web', ...metadata },
  spec: { containers: [container()], ...spec } as { [field: string]: unknown; containers: object[] },
})
/** The refusal's code and message; undefined if it was let through. */
const refusal = async (chain: AdmissionChain, attributes: AdmissionAttributes) => {
  try {
    await chain.run(attributes)
    return undefined
  } catch (error) {
    const { code, message } = error as { code?: number; message: string }
    return `${code} ${message}`
  }
}
const node: UserInfo = { name: 'system:node:n1', groups: ['system:nodes'] }

describe('the chain', () => {
  test('runs those that handle a request, in order, and stops at the first refusal', async () => {
    const seen: string[] = []
    const plugin = (name: string, handles: boolean, fails = false) => ({
      name,
      handles: () => handles,
      admit: () => void seen.push(`admit ${name}`),
      validate: async () => {
        seen.push(`validate ${name}`)
        if (fails) throw new Error(name)
      },
    })
    const chain = new AdmissionChain([
      plugin('a', true),
      plugin('b', false),
      plugin('c', true, true),
      plugin('d', true),
    ])
    await expect(chain.run(request('CREATE /pods', pod()))).rejects.toThrow('c')
    expect(seen).toEqual(['admit a', 'admit c', 'admit d', 'validate a', 'validate c'])
  })

  test('a plugin can be switched on and off by name', () => {
    const names = createAdmissionPlugins(context(), {
      enable: ['ExtendedResourceToleration'],
      disable: ['PodSecurity'],
    }).map(({ name }) => name)
    expect(names).toContain('ExtendedResourceToleration')
    expect(names).not.toContain('PodSecurity')
    expect(names[0]).toBe('NamespaceLifecycle')
    expect(() => createAdmissionPlugins(context(), { enable: ['Magic'] })).toThrow('"Magic"')
  })
})

describe('NamespaceLifecycle', () => {
  const lifecycle = () => only('NamespaceLifecycle')

  test('refuses to write into a namespace that is not there', async () => {
    expect(await refusal(lifecycle(), request('CREATE /pods', pod(), { namespace: 'gone' }))).toBe(
      '404 namespaces "gone" not found',
    )
    client.putAhead('', 'namespaces', { metadata: { name: 'gone' }, status: { phase: 'Active' } })
    expect(await refusal(lifecycle(), request('CREATE /pods', pod(), { namespace: 'gone' }))).toBeUndefined()
  })

  test('lets nothing new into one that is going, but lets changes and deletes through', async () => {
    client.put('', 'namespaces', { metadata: { name: 'web' }, status: { phase: 'Terminating' } })
    const error = await lifecycle()
      .run(request('CREATE /pods', pod()))
      .catch((thrown) => thrown)
    expect(error.toStatus()).toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: unable to create new content in namespace web because it is being terminated',
      details: {
        name: 'p',
        kind: 'pods',
        causes: [
          { reason: 'NamespaceTerminating', message: 'namespace web is being terminated', field: 'metadata.namespace' },
        ],
      },
    })
    expect(await refusal(lifecycle(), request('UPDATE /pods', pod(), { old: pod() as never }))).toBeUndefined()
    expect(await refusal(lifecycle(), request('DELETE /pods', undefined, { old: pod() as never }))).toBeUndefined()
  })

  test('does not believe the cache right after a delete', async () => {
    const chain = lifecycle()
    await chain.run(request('DELETE /namespaces', undefined, { name: 'web' }))
    client.putAhead('', 'namespaces', { metadata: { name: 'web' }, status: { phase: 'Terminating' } })
    expect(await refusal(chain, request('CREATE /pods', pod()))).toMatch(/^403 .*being terminated/)
    nowMs = 30_001
    expect(await refusal(chain, request('CREATE /pods', pod()))).toBeUndefined()
  })

  test.each(['default', 'kube-system', 'kube-public'])('%s lives for ever', async (name) => {
    expect(await refusal(lifecycle(), request('DELETE /namespaces', undefined, { name }))).toBe(
      `403 namespaces "${name}" is forbidden: this namespace may not be deleted`,
    )
  })
})

describe('ServiceAccount', () => {
  const account = (more: object = {}, metadata: object = {}) =>
    client.put('', 'serviceaccounts', { metadata: { name: 'default', namespace: 'web', ...metadata }, ...more })

  test('gives a pod the default account, its token and its pull secrets', async () => {
    account({ imagePullSecrets: [{ name: 'registry' }] })
    const object = pod({ initContainers: [container({ name: 'i' })] })
    await only('ServiceAccount').run(request('CREATE /pods', object))
    const [volume] = object.spec.volumes as { name: string }[]
    expect(volume?.name).toMatch(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    const mount = { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }
    expect(object.spec).toMatchObject({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      imagePullSecrets: [{ name: 'registry' }],
      containers: [{ volumeMounts: [mount] }],
      initContainers: [{ volumeMounts: [mount] }],
      volumes: [
        {
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              {
                downwardAPI: {
                  items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
                },
              },
            ],
          },
        },
      ],
    })
  })

  test.each<[string, object, object, boolean]>([
    ['neither says', {}, {}, true],
    ['the account says no', { automountServiceAccountToken: false }, {}, false],
    ['the pod says yes over it', { automountServiceAccountToken: false }, { automountServiceAccountToken: true }, true],
    ['the pod says no', {}, { automountServiceAccountToken: false }, false],
    [
      'its place is taken',
      {},
      {
        containers: [
          container({ volumeMounts: [{ name: 'x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }),
        ],
      },
      false,
    ],
  ])('the token is mounted when %s', async (_, ofAccount, spec, mounted) => {
    account(ofAccount)
    const object = pod(spec)
    await only('ServiceAccount').run(request('CREATE /pods', object))
    expect(object.spec.volumes !== undefined).toBe(mounted)
  })

  test('an account that is not there is a refusal, unless the cache was late', async () => {
    const object = pod({ serviceAccountName: 'app' })
    expect(await refusal(only('ServiceAccount'), request('CREATE /pods', object))).toBe(
      '403 pods "p" is forbidden: error looking up service account web/app: serviceaccount "app" not found',
    )
    client.putAhead('', 'serviceaccounts', { metadata: { name: 'app', namespace: 'web' } })
    expect(await refusal(only('ServiceAccount'), request('CREATE /pods', object))).toBeUndefined()
  })

  test('a mirror pod stays as it is and may use nothing', async () => {
    const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
    const object = pod({}, mirror)
    await only('ServiceAccount').run(request('CREATE /pods', object))
    expect(object).toEqual(pod({}, mirror))
    expect(
      await refusal(only('ServiceAccount'), request('CREATE /pods', pod({ serviceAccountName: 'a' }, mirror))),
    ).toMatch(/a mirror pod may not reference service accounts$/)
  })

  test('an account may limit its pods to its own secrets', async () => {
    account({ secrets: [{ name: 'ok' }] }, { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } })
    const object = (name: string) => pod({ volumes: [{ name: 'v', secret: { secretName: name } }] })
    expect(await refusal(only('ServiceAccount'), request('CREATE /pods', object('ok')))).toBeUndefined()
    expect(await refusal(only('ServiceAccount'), request('CREATE /pods', object('other')))).toMatch(
      /volume with secret.secretName="other" is not allowed because service account default does not reference that secret/,
    )
  })
})

describe('LimitRanger', () => {
  const range = (...limits: object[]) =>
    client.put('', 'limitranges', { metadata: { name: 'l', namespace: 'web' }, spec: { limits } })
  const resources = (requests?: object, limits?: object) => ({
    containers: [container({ resources: { ...(requests && { requests }), ...(limits && { limits }) } })],
  })

  test('fills in what containers leave out, and notes it', async () => {
    range({ type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '100m' } })
    const object = pod(resources(undefined, { memory: '2Gi' }))
    await only('LimitRanger').run(request('CREATE /pods', object))
    expect(object.spec.containers).toMatchObject([
      { resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '2Gi' } } },
    ])
    expect(object.metadata).toMatchObject({
      annotations: {
        'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
      },
    })
  })

  test.each<[object, object, string | undefined]>([
    [
      { type: 'Container', min: { cpu: '200m' } },
      resources({ cpu: '100m' }),
      'minimum cpu usage per Container is 200m, but request is 100m',
    ],
    [
      { type: 'Container', min: { cpu: '200m' } },
      resources(),
      'minimum cpu usage per Container is 200m.  No request is specified',
    ],
    [
      { type: 'Container', max: { memory: '1Gi' } },
      resources({}, { memory: '2Gi' }),
      'maximum memory usage per Container is 1Gi, but limit is 2Gi',
    ],
    [
      { type: 'Container', max: { memory: '1Gi' } },
      resources(),
      'maximum memory usage per Container is 1Gi.  No limit is specified',
    ],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      resources({ cpu: '100m' }, { cpu: '300m' }),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
    [
      { type: 'Pod', max: { cpu: '150m' } },
      {
        containers: [
          container({ resources: { limits: { cpu: '100m' } } }),
          container({ name: 'd', resources: { limits: { cpu: '100m' } } }),
        ],
      },
      'maximum cpu usage per Pod is 150m, but limit is 200m',
    ],
    [
      { type: 'Pod', max: { cpu: '150m' } },
      { ...resources({}, { cpu: '100m' }), initContainers: [container({ resources: { limits: { cpu: '150m' } } })] },
      undefined,
    ],
  ])('%j on %j', async (limit, spec, message) => {
    range(limit)
    const expected = message === undefined ? undefined : `403 pods "p" is forbidden: ${message}`
    expect(await refusal(only('LimitRanger'), request('CREATE /pods', pod(spec)))).toBe(expected)
  })

  test('bounds claims by what they ask for', async () => {
    range({ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } })
    const claim = { metadata: { name: 'c' }, spec: { resources: { requests: { storage: '2Gi' } } } }
    expect(await refusal(only('LimitRanger'), request('CREATE /persistentvolumeclaims', claim))).toMatch(
      /maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi/,
    )
  })
})

describe('Priority', () => {
  const priorityClass = (name: string, value: number, more: object = {}) =>
    client.put('scheduling.k8s.io', 'priorityclasses', { metadata: { name }, value, ...more })
  beforeEach(() => priorityClass('high', 1000, { preemptionPolicy: 'Never' }))

  test.each<[object, object]>([
    [{}, { priority: 0, preemptionPolicy: 'PreemptLowerPriority' }],
    [{ priorityClassName: 'high' }, { priority: 1000, preemptionPolicy: 'Never', priorityClassName: 'high' }],
  ])('%j becomes %j', async (spec, expected) => {
    const object = pod(spec)
    await only('Priority').run(request('CREATE /pods', object))
    expect(object.spec).toEqual({ containers: [container()], ...expected })
  })

  test('a default class is for pods that name none', async () => {
    priorityClass('usual', 10, { globalDefault: true, preemptionPolicy: 'PreemptLowerPriority' })
    const object = pod()
    await only('Priority').run(request('CREATE /pods', object))
    expect(object.spec).toMatchObject({ priority: 10, priorityClassName: 'usual' })
    expect(
      await refusal(
        only('Priority'),
        request('CREATE scheduling.k8s.io/priorityclasses', { metadata: { name: 'b' }, globalDefault: true }),
      ),
    ).toBe(
      '403 priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    )
  })

  test("refuses numbers of one's own and classes that are not there", async () => {
    expect(await refusal(only('Priority'), request('CREATE /pods', pod({ priority: 7 })))).toBe(
      '403 pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
    expect(await refusal(only('Priority'), request('CREATE /pods', pod({ priorityClassName: 'none' })))).toBe(
      '403 pods "p" is forbidden: no PriorityClass with name none was found',
    )
  })
})

describe('what is filled in', () => {
  test('tolerations of five minutes, unless there are others', async () => {
    const object = pod({
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      ],
    })
    await only('DefaultTolerationSeconds').run(request('CREATE /pods', object))
    expect(object.spec.tolerations).toEqual([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ])
    const all = pod({ tolerations: [{ operator: 'Exists' }] })
    await only('DefaultTolerationSeconds').run(request('CREATE /pods', all))
    expect(all.spec.tolerations).toHaveLength(1)
  })

  test('the newest default class', async () => {
    const storageClass = (name: string, creationTimestamp: string, isDefault = 'true') =>
      client.put('storage.k8s.io', 'storageclasses', {
        metadata: {
          name,
          creationTimestamp,
          annotations: { 'storageclass.kubernetes.io/is-default-class': isDefault },
        },
      })
    storageClass('old', '2026-01-01T00:00:00Z')
    storageClass('new', '2026-01-02T00:00:00Z')
    storageClass('none', '2026-01-03T00:00:00Z', 'false')
    const claim = (spec: object) => ({ metadata: { name: 'c' }, spec: spec as { storageClassName?: string } })
    const [unset, empty] = [claim({}), claim({ storageClassName: '' })]
    for (const object of [unset, empty])
      await only('DefaultStorageClass').run(request('CREATE /persistentvolumeclaims', object))
    expect([unset.spec.storageClassName, empty.spec.storageClassName]).toEqual(['new', ''])

    client.put('networking.k8s.io', 'ingressclasses', {
      metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    })
    const ingress = (annotations: object) => ({
      metadata: { name: 'i', annotations },
      spec: {} as { ingressClassName?: string },
    })
    const [plain, annotated] = [ingress({}), ingress({ 'kubernetes.io/ingress.class': 'traefik' })]
    for (const object of [plain, annotated])
      await only('DefaultIngressClass').run(request('CREATE networking.k8s.io/ingresses', object))
    expect([plain.spec.ingressClassName, annotated.spec.ingressClassName]).toEqual(['nginx', undefined])
  })

  test('finalizers of volumes and claims, once', async () => {
    const claim = { metadata: { name: 'c', finalizers: ['x'] } }
    for (let i = 0; i < 2; i++)
      await only('StorageObjectInUseProtection').run(request('CREATE /persistentvolumeclaims', claim))
    expect(claim.metadata.finalizers).toEqual(['x', 'kubernetes.io/pvc-protection'])
  })

  test('the taint of a new node, once', async () => {
    const object = { metadata: { name: 'n' }, spec: {} as { taints?: object[] } }
    for (let i = 0; i < 2; i++) await only('TaintNodesByCondition').run(request('CREATE /nodes', object))
    expect(object.spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
  })

  test('tolerations of extended resources, when asked for', async () => {
    const object = pod({ containers: [container({ resources: { requests: { 'gpu.example/a': '1', cpu: '1' } } })] })
    await only('ExtendedResourceToleration').run(request('CREATE /pods', object))
    expect(object.spec.tolerations).toEqual([{ key: 'gpu.example/a', operator: 'Exists', effect: 'NoSchedule' }])
  })
})

describe('RuntimeClass', () => {
  beforeEach(() =>
    client.put('node.k8s.io', 'runtimeclasses', {
      metadata: { name: 'kata' },
      handler: 'kata',
      overhead: { podFixed: { memory: '120Mi' } },
      scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
    }),
  )

  test('brings its overhead, nodes and tolerations', async () => {
    const object = pod({
      runtimeClassName: 'kata',
      nodeSelector: { a: 'b' },
      tolerations: [{ key: 'vm', operator: 'Exists' }],
    })
    await only('RuntimeClass').run(request('CREATE /pods', object))
    expect(object.spec).toMatchObject({
      overhead: { memory: '120Mi' },
      nodeSelector: { a: 'b', vm: 'yes' },
      tolerations: [{ key: 'vm', operator: 'Exists' }],
    })
  })

  test.each<[object, string]>([
    [{ runtimeClassName: 'none' }, 'pod rejected: RuntimeClass "none" not found'],
    [
      { runtimeClassName: 'kata', overhead: { memory: '1Mi' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      { overhead: { memory: '1Mi' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
    [
      { runtimeClassName: 'kata', nodeSelector: { vm: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no',
    ],
  ])('%j: %s', async (spec, message) => {
    expect(await refusal(only('RuntimeClass'), request('CREATE /pods', pod(spec)))).toBe(
      `403 pods "p" is forbidden: ${message}`,
    )
  })
})

describe('PersistentVolumeClaimResize', () => {
  const claim = (storage: string, phase = 'Bound', storageClassName = 'fast') => ({
    metadata: { name: 'c' },
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  })
  test.each<[string, object, object, string | undefined]>([
    ['grows', claim('2Gi'), claim('1Gi'), undefined],
    ['stays', claim('1024Mi', 'Pending'), claim('1Gi', 'Pending'), undefined],
    [
      'grows before it is bound',
      claim('2Gi'),
      claim('1Gi', 'Pending'),
      'Only bound persistent volume claims can be expanded',
    ],
    [
      'grows in a class that cannot',
      claim('2Gi', 'Bound', 'fixed'),
      claim('1Gi', 'Bound', 'fixed'),
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    ],
  ])('a claim that %s', async (_, next, old, message) => {
    client.put('storage.k8s.io', 'storageclasses', { metadata: { name: 'fast' }, allowVolumeExpansion: true })
    client.put('storage.k8s.io', 'storageclasses', { metadata: { name: 'fixed' } })
    const got = await refusal(
      only('PersistentVolumeClaimResize'),
      request('UPDATE /persistentvolumeclaims', next, { old: old as never }),
    )
    expect(got).toBe(message === undefined ? undefined : `403 persistentvolumeclaims "c" is forbidden: ${message}`)
  })
})

describe('Protection', () => {
  const annotations = { 'gantry.dev/protected': 'true' }
  test('a protected object stays, and the refusal says how to free it', async () => {
    const old = { metadata: { name: 'db', namespace: 'web', annotations } }
    expect(
      await refusal(only('Protection'), request('DELETE apps/statefulsets', undefined, { old: old as never })),
    ).toBe(
      '403 statefulsets.apps "db" is forbidden: it is protected from deletion by the annotation gantry.dev/protected; to delete it, first remove the annotation: kubectl annotate statefulsets.apps db -n web gantry.dev/protected-',
    )
    const namespace = { metadata: { name: 'web', annotations } }
    expect(
      await refusal(only('Protection'), request('DELETE /namespaces', undefined, { old: namespace as never })),
    ).toMatch(/kubectl annotate namespaces web gantry.dev\/protected-$/)
  })

  test('everything else goes, and the annotation may be taken away', async () => {
    const old = { metadata: { name: 'db', namespace: 'web', annotations } }
    const free = { metadata: { name: 'db', namespace: 'web' } }
    expect(
      await refusal(only('Protection'), request('DELETE apps/statefulsets', undefined, { old: free as never })),
    ).toBeUndefined()
    expect(
      await refusal(only('Protection'), request('UPDATE apps/statefulsets', free, { old: old as never })),
    ).toBeUndefined()
  })
})

describe('NodeRestriction', () => {
  const as = (attributes: AdmissionAttributes): AdmissionAttributes => ({ ...attributes, user: node })
  const check = (attributes: AdmissionAttributes) => refusal(only('NodeRestriction'), as(attributes))
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true }
  const mirror = (spec: object = {}, metadata: object = {}) =>
    pod(
      { nodeName: 'n1', ...spec },
      { annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [owner], ...metadata },
    )
  beforeEach(() => client.put('', 'nodes', { metadata: { name: 'n1', uid: 'u1' } }))

  test('others are not concerned', async () => {
    expect(await refusal(only('NodeRestriction'), request('CREATE /pods', pod()))).toBeUndefined()
  })

  test.each<[string, () => object, string | undefined]>([
    ['its own mirror pod', () => mirror(), undefined],
    [
      'a plain pod',
      () => pod({ nodeName: 'n1' }),
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    ],
    [
      'a pod elsewhere',
      () => mirror({ nodeName: 'n2' }),
      'node "n1" can only create pods with spec.nodeName set to itself',
    ],
    [
      'a pod without an owner',
      () => mirror({}, { ownerReferences: [] }),
      'node "n1" can only create pods with an owner reference set to itself',
    ],
    [
      'a pod of its predecessor',
      () => mirror({}, { ownerReferences: [{ ...owner, uid: 'u0' }] }),
      'node n1 UID mismatch: expected u0 got u1',
    ],
    [
      'a pod with secrets',
      () => mirror({ volumes: [{ name: 'v', secret: { secretName: 's' } }] }),
      'node "n1" can not create pods that reference secrets',
    ],
  ])('creates %s', async (_, object, message) => {
    const got = await check(request('CREATE /pods', object()))
    expect(got).toBe(message === undefined ? undefined : `403 pods "p" is forbidden: ${message}`)
  })

  test('touches the status of its own pods only, and not their labels', async () => {
    const own = pod({ nodeName: 'n1' })
    expect(await check(request('UPDATE /pods/status', own, { old: own as never }))).toBeUndefined()
    expect(
      await check(request('UPDATE /pods/status', pod({ nodeName: 'n2' }), { old: pod({ nodeName: 'n2' }) as never })),
    ).toMatch(/can only update pod status/)
    expect(
      await check(
        request('UPDATE /pods/status', pod({ nodeName: 'n1' }, { labels: { a: 'b' } }), { old: own as never }),
      ),
    ).toMatch(/cannot update labels through pod status/)
    expect(await check(request('DELETE /pods', undefined, { old: pod({ nodeName: 'n2' }) as never }))).toMatch(
      /can only delete pods/,
    )
  })

  test.each<[string, Record<string, string>, string | undefined]>([
    [
      'its own labels',
      { 'kubernetes.io/hostname': 'n1', 'node.kubernetes.io/x': '1', 'example.com/a': '1', plain: '1' },
      undefined,
    ],
    ['a restricted label', { 'node-restriction.kubernetes.io/x': '1' }, 'node-restriction.kubernetes.io/x'],
    ['a label of the control plane', { 'node-role.kubernetes.io/master': '' }, 'node-role.kubernetes.io/master'],
  ])('%s', async (_, labels, forbidden) => {
    const got = await check(request('CREATE /nodes', { metadata: { name: 'n1', labels } }))
    expect(got).toBe(
      forbidden && `403 nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: ${forbidden}`,
    )
  })

  test('leaves other nodes and its own taints alone', async () => {
    const object = (name: string, spec = {}) => ({ metadata: { name }, spec })
    expect(await check(request('UPDATE /nodes', object('n2'), { old: object('n2') as never }))).toMatch(
      /node "n1" is not allowed to modify node "n2"/,
    )
    expect(
      await check(request('UPDATE /nodes', object('n1'), { old: object('n1', { taints: [{ key: 'a' }] }) as never })),
    ).toMatch(/not allowed to modify taints/)
  })

  test('asks for tokens of its pods only, for audiences they name', async () => {
    const token = (audiences: string[], uid = 'pod-1') => ({
      metadata: { name: 'app' },
      spec: { audiences, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid } },
    })
    const volumes = [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } }]
    client.put('', 'pods', pod({ nodeName: 'n1', volumes }, { uid: 'pod-1' }))
    expect(await check(request('CREATE /serviceaccounts/token', token(['vault'])))).toBeUndefined()
    expect(await check(request('CREATE /serviceaccounts/token', token(['other'])))).toMatch(
      /audience "other" not found in pod spec volume/,
    )
    expect(await check(request('CREATE /serviceaccounts/token', token(['vault'], 'pod-0')))).toMatch(
      /does not match the UID in record/,
    )
    expect(await check(request('CREATE /serviceaccounts/token', { metadata: {}, spec: {} }))).toMatch(
      /node requested token not bound to a pod/,
    )
  })

  test('keeps to its own lease and CSI node', async () => {
    const lease = (name: string, namespace: string) =>
      request('CREATE coordination.k8s.io/leases', { metadata: { name } }, { namespace })
    expect(await check(lease('n1', 'kube-node-lease'))).toBeUndefined()
    expect(await check(lease('n2', 'kube-node-lease'))).toMatch(/same name as the requesting node/)
    expect(await check(lease('n1', 'web'))).toMatch(/"kube-node-lease" system namespace/)
    expect(await check(request('CREATE storage.k8s.io/csinodes', { metadata: { name: 'n2' } }))).toMatch(
      /can only access CSINode/,
    )
  })
})

describe('certificates', () => {
  const csr = (signerName: string, more: object = {}) => ({
    metadata: { name: 'r' },
    spec: { signerName, request: '', ...more },
    status: {},
  })
  const path = 'certificates.k8s.io/certificatesigningrequests'

  test('approving and signing need the right on the signer or its domain', async () => {
    const old = csr('acme.io/web')
    const approve = () =>
      refusal(
        only('CertificateApproval'),
        request(`UPDATE ${path}/approval`, csr('acme.io/web'), { old: old as never }),
      )
    expect(await approve()).toBe(
      '403 certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to approve requests with signerName "acme.io/web"',
    )
    allowed = ['approve signers acme.io/*']
    expect(await approve()).toBeUndefined()
    const signed = { ...csr('acme.io/web'), status: { certificate: 'x' } }
    const sign = (object: object) =>
      refusal(only('CertificateSigning'), request(`UPDATE ${path}/status`, object, { old: old as never }))
    expect(await sign(csr('acme.io/web'))).toBeUndefined()
    expect(await sign(signed)).toMatch(/not permitted to sign/)
    allowed = ['sign signers acme.io/web']
    expect(await sign(signed)).toBeUndefined()
  })

  test('a request that cannot be read is refused', async () => {
    const { certPem } = await createAuthority({ commonName: 'x', days: 1, nowMs: 0 })
    const object = csr('kubernetes.io/kube-apiserver-client', { request: Buffer.from(certPem).toString('base64') })
    expect(await refusal(only('CertificateSubjectRestriction'), request(`CREATE ${path}`, object))).toMatch(
      /failed to parse CSR: PEM block type/,
    )
  })
})

describe('OwnerReferencesPermissionEnforcement', () => {
  const owned = (blockOwnerDeletion: boolean) =>
    pod(
      {},
      { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: '1', blockOwnerDeletion }] },
    )
  const check = (object: object, old?: object) =>
    refusal(
      only('OwnerReferencesPermissionEnforcement'),
      request(old ? 'UPDATE /pods' : 'CREATE /pods', object, old ? { old: old as never } : {}),
    )

  test('who changes owners must be able to delete', async () => {
    expect(await check(owned(false))).toBeUndefined()
    expect(await check(owned(false), pod())).toBe(
      `403 pods "p" is forbidden: cannot set an ownerRef on a resource you can't delete: no, <nil>`,
    )
    allowed = ['delete pods p']
    expect(await check(owned(false), pod())).toBeUndefined()
  })

  test('who blocks the deletion of an owner must be able to set its finalizers', async () => {
    expect(await check(owned(true))).toMatch(
      /cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: no, <nil>$/,
    )
    allowed = ['update replicasets rs']
    expect(await check(owned(true))).toBeUndefined()
  })
})
