import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startControllerManager } from '../support/controller-manager.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
let manager: Awaited<ReturnType<typeof startControllerManager>>
beforeAll(async () => {
  server = await startServer()
  manager = await startControllerManager(server)
}, 60_000)
afterAll(async () => {
  await manager?.stop()
  await server?.stop()
})

const kubectl = (args: string, input?: string) => server.kubectl(args, input === undefined ? {} : { input })
const refused = async (args: string, input?: string) =>
  (await server.kubectl(args, { expectFailure: true, ...(input === undefined ? {} : { input }) })).stderr
const get = async <T>(what: string): Promise<T> => JSON.parse((await kubectl(`get ${what} -o json`)).stdout) as T
const value = async (what: string, path: string) => (await kubectl(`get ${what} -o jsonpath={${path}}`)).stdout
const applied = (object: object) => kubectl('apply -f -', JSON.stringify(object))
const file = (name: string) => join(server.directory, name)

describe('a quota', () => {
  test('refuses what exceeds it, in words that say why, and gives back what is deleted', async () => {
    await kubectl('create namespace team')
    await kubectl('create quota small -n team --hard=configmaps=2,pods=1,requests.cpu=1,count/deployments.apps=1')
    // The manager publishes the cluster's CA as a config map of each namespace.
    await until(async () => (await value('quota small -n team', '.status.used.configmaps')) === '1')
    await kubectl('create configmap a -n team')
    expect(await refused('create configmap b -n team')).toBe(
      'error: failed to create configmap: configmaps "b" is forbidden: exceeded quota: small, requested: configmaps=1, used: configmaps=2, limited: configmaps=2\n',
    )
    await kubectl('delete configmap a -n team')
    await until(async () => (await value('quota small -n team', '.status.used.configmaps')) === '1')
    await kubectl('create configmap b -n team')
    expect(await refused('run silent -n team --image=x')).toContain(
      'failed quota: small: must specify requests.cpu for: silent',
    )
  })

  test('counts what a controller makes, and lets it go on when there is room again', async () => {
    const labels = { app: 'web' }
    const container = { name: 'c', image: 'x', resources: { requests: { cpu: '100m' } } }
    await applied({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'team' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    })
    await until(async () => (await value('quota small -n team', '.status.used.pods')) === '1')
    const status = await get<{ status: { used: object } }>('quota small -n team')
    expect(status.status.used).toMatchObject({ 'requests.cpu': '100m', 'count/deployments.apps': '1' })
    await until(async () =>
      (await value('rs -n team', '.items[*].status.conditions[*].message')).includes('exceeded quota'),
    )
    await kubectl('patch quota small -n team -p {"spec":{"hard":{"pods":"5"}}}')
    await until(async () => (await value('quota small -n team', '.status.used.pods')) === '2')
    await kubectl('delete deployment web -n team --cascade=foreground --wait=false')
    await kubectl('delete pods -n team --all --grace-period=0 --force')
    await until(async () => (await value('quota small -n team', '.status.used.count/deployments\\.apps')) === '0')
  })
})

test('a job goes with its pods when its time after the end has passed', async () => {
  await applied({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'brief', namespace: 'default' },
    spec: {
      ttlSecondsAfterFinished: 1,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
    },
  })
  const pods = 'pods -l job-name=brief'
  const pod = await until(() => value(pods, '.items[*].metadata.name'))
  await kubectl(`patch pod ${pod} --subresource=status -p {"status":{"phase":"Succeeded"}}`)
  await until(async () => (await kubectl('get job brief --ignore-not-found -o name')).stdout === '')
  await until(async () => (await kubectl(`get ${pods} -o name`)).stdout === '')
})

/** A key and a signed request, by openssl, as the API takes it. */
function request(name: string, subject: string): string {
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file(`${name}.key`)])
  execFileSync('openssl', ['req', '-new', '-key', file(`${name}.key`), '-subj', subject, '-out', file(`${name}.csr`)])
  return readFileSync(file(`${name}.csr`)).toString('base64')
}
const signingRequest = (name: string, subject: string, signer: string) =>
  JSON.stringify({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: request(name, subject),
      signerName: signer,
      usages: ['digital signature', 'client auth'],
      expirationSeconds: 3600,
    },
  })
/** Who the server takes the bearer of the certificate for. */
async function whoIs(name: string): Promise<string> {
  const certificate = await until(() => value(`csr ${name}`, '.status.certificate'))
  writeFileSync(file(`${name}.crt`), Buffer.from(certificate, 'base64'))
  await kubectl(
    `config set-credentials ${name} --client-certificate=${file(`${name}.crt`)} --client-key=${file(`${name}.key`)}`,
  )
  return (await kubectl(`auth whoami --user=${name} -o jsonpath={.status.userInfo.username}`)).stdout
}

describe('a certificate signing request', () => {
  test('is signed once it is approved, and the certificate is good with the server', async () => {
    await kubectl('create -f -', signingRequest('jane', '/O=dev/CN=jane', 'kubernetes.io/kube-apiserver-client'))
    await kubectl('certificate approve jane')
    expect(await whoIs('jane')).toBe('jane')
    const text = execFileSync('openssl', [
      'x509',
      '-in',
      file('jane.crt'),
      '-noout',
      '-subject',
      '-ext',
      'extendedKeyUsage',
    ])
    expect(String(text)).toContain('TLS Web Client Authentication')
  })

  test('of a node is approved by itself, where the node may renew its certificate', async () => {
    const role = 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient'
    await kubectl(`create clusterrolebinding renewal --clusterrole=${role} --group=system:nodes`)
    const signer = 'kubernetes.io/kube-apiserver-client-kubelet'
    await kubectl(
      'create -f - --as=system:node:n1 --as-group=system:nodes --as-group=system:authenticated',
      signingRequest('n1', '/O=system:nodes/CN=system:node:n1', signer),
    )
    expect(await whoIs('n1')).toBe('system:node:n1')
  })

  test('that is not what its signer is for fails, and says why', async () => {
    const signer = 'kubernetes.io/kube-apiserver-client-kubelet'
    await kubectl('create -f -', signingRequest('odd', '/O=dev/CN=odd', signer))
    await kubectl('certificate approve odd')
    await until(
      async () =>
        (await value('csr odd', '.status.conditions[1].message')) === 'subject organization is not system:nodes',
    )
  })
})

test('a secret gets a token of its account, which is good until one of both goes', async () => {
  await kubectl('create serviceaccount robot')
  await applied({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'robot-token',
      namespace: 'default',
      annotations: { 'kubernetes.io/service-account.name': 'robot' },
    },
    type: 'kubernetes.io/service-account-token',
  })
  const token = Buffer.from(await until(() => value('secret robot-token', '.data.token')), 'base64').toString()
  await kubectl(`config set-credentials robot --token=${token}`)
  const whoami = 'auth whoami --user=robot -o jsonpath={.status.userInfo.username}'
  expect((await kubectl(whoami)).stdout).toBe('system:serviceaccount:default:robot')
  expect(await value('secret robot-token', '.metadata.labels.kubernetes\\.io/legacy-token-last-used')).toMatch(
    /^\d{4}-/,
  )
  await kubectl('delete serviceaccount robot')
  await until(async () => (await kubectl('get secret robot-token --ignore-not-found -o name')).stdout === '')
  expect(await refused(whoami)).toMatch(/Unauthorized|must be logged in/)
})

test('endpoints written by hand are mirrored into slices', async () => {
  await applied({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'outside', namespace: 'default' },
    spec: { ports: [{ port: 80 }] },
  })
  await applied({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'outside', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 80 }] }],
  })
  const slices = 'endpointslices -l kubernetes.io/service-name=outside'
  await until(async () => (await value(slices, '.items[*].endpoints[*].addresses[0]')) === '192.0.2.7')
  await kubectl('delete endpoints outside')
  await until(async () => (await kubectl(`get ${slices} -o name`)).stdout === '')
})

test('a role gathers the rules of those it selects', async () => {
  const role = (name: string, more: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels: { of: name === 'all' ? 'none' : 'all' } },
    ...more,
  })
  await applied(role('all', { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { of: 'all' } }] } }))
  await applied(role('part', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }))
  await until(async () => (await value('clusterrole all', '.rules[*].resources[0]')) === 'pods')
})

describe('objects of a kind of one’s own', () => {
  const cache = (name: string, metadata: object = {}) =>
    applied({
      apiVersion: 'example.com/v1',
      kind: 'Cache',
      metadata: { name, namespace: 'own', ...metadata },
      spec: { size: '1Mi' },
    })
  const names = async () => (await kubectl('get caches,configmaps -n own -o name')).stdout.split('\n').filter(Boolean)

  beforeAll(async () => {
    await kubectl(
      `apply -f ${fileURLToPath(new URL('../../manifests/examples/custom-resource.yaml', import.meta.url))}`,
    )
    await kubectl('wait --for=condition=Established crd/caches.example.com')
    await kubectl('create namespace own')
  })

  test('go when their owner goes, as what they own does', async () => {
    await cache('owner')
    const uid = await value('cache owner -n own', '.metadata.uid')
    const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Cache', name: 'owner', uid }]
    await cache('owned', { ownerReferences })
    const metadata = { name: 'owned', namespace: 'own', ownerReferences }
    await applied({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
    await kubectl('delete cache owner -n own')
    await until(async () => (await names()).join() === 'configmap/kube-root-ca.crt')
  })

  test('are scaled by an autoscaler', async () => {
    await cache('pages')
    const target = { apiVersion: 'example.com/v1', kind: 'Cache', name: 'pages' }
    await applied({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'pages', namespace: 'own' },
      spec: { scaleTargetRef: target, minReplicas: 3, maxReplicas: 5 },
    })
    await until(async () => (await value('cache pages -n own', '.spec.replicas')) === '3')
  })

  test('go with their namespace', async () => {
    await kubectl('delete namespace own --timeout=60s')
    expect((await kubectl('get caches -A -o name')).stdout).toBe('')
  })
})

test('all of it with no more rights than the manager of upstream has', () => {
  expect(manager.said()).not.toMatch(/is forbidden: User/)
})
