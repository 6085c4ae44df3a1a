import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

let server: TestServer
const kubectl: TestServer['kubectl'] = (args, options) => server.kubectl(args, options)
const get = async (what: string, path: string) =>
  (await kubectl(['get', ...what.split(' '), '-o', `jsonpath=${path}`])).stdout
const create = (object: object) => kubectl('create -f -', { input: JSON.stringify(object) })

beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, 'admin')
  await kubectl('config set-context --current --namespace=admin')
})
afterAll(() => server?.stop())

describe('a node', () => {
  beforeAll(() => create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels: { zone: 'a' } } }))

  test('is tainted, and not twice in two ways', async () => {
    expect((await kubectl('taint node n1 dedicated=db:NoSchedule')).stdout).toBe('node/n1 tainted\n')
    const again = await kubectl('taint node n1 dedicated=web:NoSchedule', { expectFailure: true })
    expect(again.stderr).toContain('already has dedicated taint(s) with same effect(s) and --overwrite is false')
    await kubectl('taint node n1 dedicated=web:NoSchedule --overwrite')
    expect(await get('node n1', '{.spec.taints[?(@.key=="dedicated")].value}')).toBe('web')
    expect((await kubectl('taint node n1 dedicated-')).stdout).toBe('node/n1 untainted\n')
    expect(await get('node n1', '{.spec.taints[?(@.key=="dedicated")].value}')).toBe('')
  })

  test('is cordoned and uncordoned', async () => {
    expect((await kubectl('cordon n1')).stdout).toBe('node/n1 cordoned\n')
    expect((await kubectl('get node n1')).stdout).toMatch(/^n1 +Unknown,SchedulingDisabled +<none> +\d+s/m)
    expect((await kubectl('uncordon n1')).stdout).toBe('node/n1 uncordoned\n')
    expect((await kubectl('get node n1')).stdout).toMatch(/^n1 +Unknown +<none>/m)
  })

  test('shows its roles and is described with its pods', async () => {
    await kubectl('label node n1 node-role.kubernetes.io/worker=')
    expect((await kubectl('get nodes -o wide')).stdout).toMatch(/^n1 +Unknown +worker +\d+s/m)
    await create(pod('placed', { nodeName: 'n1' }))
    expect((await kubectl('describe node n1')).stdout).toMatch(
      /Non-terminated Pods: +\(1 in total\)(.*\n)+ +admin +placed/,
    )
    expect(await get('pods --field-selector spec.nodeName=n1', '{.items[*].metadata.name}')).toBe('placed')
    await kubectl('delete pod placed --force --grace-period=0')
  })
})

const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'guarded' } },
  spec: { containers: [{ name: 'main', image: 'registry.example/app' }], ...spec },
})

describe('eviction', () => {
  const evict = (name: string, options: { expectFailure?: boolean } = {}) =>
    kubectl(`create --raw /api/v1/namespaces/admin/pods/${name}/eviction -f -`, {
      input: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'admin' } }),
      ...options,
    })

  test('ends a pod that no budget guards', async () => {
    await create(pod('free'))
    expect(JSON.parse((await evict('free')).stdout)).toMatchObject({ kind: 'Status', status: 'Success', code: 201 })
    expect((await kubectl('get pod free', { expectFailure: true })).stderr).toContain('pods "free" not found')
  })

  test('spares a running pod that a budget cannot do without', async () => {
    await kubectl('create poddisruptionbudget guard --selector=app=guarded --min-available=1')
    await create(pod('guarded', { nodeName: 'n1' }))
    const running = {
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    }
    await kubectl(['patch', 'pod', 'guarded', '--subresource=status', '-p', JSON.stringify(running)])
    // What the controller would find: one pod, and one wanted.
    const counted = {
      status: { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 },
    }
    await kubectl(['patch', 'pdb', 'guard', '--subresource=status', '--type=merge', '-p', JSON.stringify(counted)])
    const { stderr } = await evict('guarded', { expectFailure: true })
    expect(stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.")
    expect(await get('pod guarded', '{.metadata.deletionTimestamp}')).toBe('')

    await kubectl([
      'patch',
      'pdb',
      'guard',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"disruptionsAllowed":1}}',
    ])
    await evict('guarded')
    expect(await get('pod guarded', '{.metadata.deletionTimestamp}')).not.toBe('')
    expect(await get('pod guarded', '{.status.conditions[?(@.type=="DisruptionTarget")].reason}')).toBe(
      'EvictionByEvictionAPI',
    )
    expect(await get('pdb guard', '{.status.disruptionsAllowed}')).toBe('0')
  })
})

describe('a certificate request', () => {
  const request =
    'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIbE1JR05BZ0VBTUNzeEdUQVhCZ05WQkFvTUVHVjRZVzF3YkdVNllYVmthWFJ2Y25NeERqQU1CZ05WQkFNTQpCV0ZzYVdObE1Ga3dFd1lIS29aSXpqMENBUVlJS29aSXpqMERBUWNEUWdBRUxqQVU3ZXFnaWVSTXVPc0ZXY040Cnd4UTcyK2poM21IaVRnQW0xdEVVS2QwTDlBcHFaaGdGNWlSWENGaGlUU1J4VC9HSXdSTG5OOVoxZnhwNGlqSloKSnFBQU1Bb0dDQ3FHU000OUJBTUNBMGNBTUVRQ0lEZEJwTVI0OHdhUC9KeDV2clBDcSt5aUg0S0VYK0NmeVZ3dgpLMkVXSHRjeUFpQlVZdVl4RVlpcno1TDFHNkNvK3Q0N1AyTWtRVlY2WG4vaWd4TjNiMjhaTHc9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K'
  const signing = (name: string) => ({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: { signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], request },
  })

  test.each([
    ['approve', 'approved', 'Approved', 'deny'],
    ['deny', 'denied', 'Denied', 'approve'],
  ])('is settled with certificate %s, once', async (verb, said, condition, other) => {
    const name = `to-${verb}`
    await create(signing(name))
    expect((await kubectl(`get csr ${name}`)).stdout).toMatch(/kubernetes-admin +<none> +Pending$/m)
    expect((await kubectl(`certificate ${verb} ${name}`)).stdout).toBe(
      `certificatesigningrequest.certificates.k8s.io/${name} ${said}\n`,
    )
    expect((await kubectl(`get csr ${name}`)).stdout).toMatch(new RegExp(` ${condition}$`, 'm'))
    const reversed = await kubectl(`certificate ${other} ${name}`, { expectFailure: true })
    expect(reversed.stderr).toContain(`certificate signing request "${name}" is already ${condition}`)
  })

  test('says who asked, whatever the request claims', async () => {
    const claimed = signing('claimed')
    await create({ ...claimed, spec: { ...claimed.spec, username: 'somebody', groups: ['else'] } })
    expect(await get('csr claimed', '{.spec.username} {.spec.groups[0]}')).toBe('kubernetes-admin system:masters')
    expect((await kubectl('describe csr claimed')).stdout).toMatch(/Common Name: +alice/)
  })
})

describe('the history of a rollout', () => {
  test('is read from revisions, and undone', async () => {
    const template = (image: string) => ({
      metadata: { labels: { app: 'set' } },
      spec: { containers: [{ name: 'main', image }] },
    })
    await create({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'set' },
      spec: {
        serviceName: 'set',
        selector: { matchLabels: { app: 'set' } },
        template: template('registry.example/new'),
      },
    })
    const uid = await get('statefulset set', '{.metadata.uid}')
    // What the controller would have kept.
    for (const [revision, image] of [
      [1, 'registry.example/old'],
      [2, 'registry.example/new'],
    ] as const) {
      await create({
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name: `set-${revision}`,
          labels: { app: 'set' },
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'set', uid, controller: true }],
        },
        revision,
        data: { spec: { template: { ...template(image), $patch: 'replace' } } },
      })
    }
    expect((await kubectl('rollout history statefulset/set')).stdout).toMatch(/^1 +<none>\n2 +<none>$/m)
    expect((await kubectl('rollout history statefulset/set --revision=1')).stdout).toContain('registry.example/old')
    expect((await kubectl('rollout undo statefulset/set')).stdout).toBe('statefulset.apps/set rolled back\n')
    expect(await get('statefulset set', '{.spec.template.spec.containers[0].image}')).toBe('registry.example/old')
  })

  test('of a deployment is read from replica sets, and undone', async () => {
    await kubectl('create deployment web --image=registry.example/new')
    const uid = await get('deployment web', '{.metadata.uid}')
    for (const [revision, image] of [
      ['1', 'old'],
      ['2', 'new'],
    ] as const) {
      const labels = { app: 'web', 'pod-template-hash': image }
      await create({
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name: `web-${image}`,
          labels,
          annotations: { 'deployment.kubernetes.io/revision': revision, 'kubernetes.io/change-cause': `${image} one` },
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: true }],
        },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { containers: [{ name: image, image: `registry.example/${image}` }] },
          },
        },
      })
    }
    expect((await kubectl('rollout history deployment/web')).stdout).toMatch(/^1 +old one\n2 +new one$/m)
    expect((await kubectl('rollout undo deployment/web --to-revision=1')).stdout).toBe(
      'deployment.apps/web rolled back\n',
    )
    expect(await get('deployment web', '{.spec.template.spec.containers[*].image}')).toBe('registry.example/old')
    expect(await get('deployment web', '{.spec.template.metadata.labels}')).toBe('{"app":"web"}')
  })
})
