import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { namespaceWithAccount } from './namespace.ts'

const pod = { containers: [{ name: 'main', image: 'registry.example/app:1' }] }
const template = { metadata: { labels: { app: 'x' } }, spec: pod }
const selector = { matchLabels: { app: 'x' } }
const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'x' }

/** One object of each of many kinds: what to create, and a field that may change. */
const kinds: readonly [resource: string, apiVersion: string, kind: string, body: object, change: object][] = [
  ['configmaps', 'v1', 'ConfigMap', { data: { a: '1' } }, { data: { b: '2' } }],
  ['secrets', 'v1', 'Secret', { data: { a: 'MQ==' } }, { data: { b: 'Mg==' } }],
  ['serviceaccounts', 'v1', 'ServiceAccount', {}, { automountServiceAccountToken: false }],
  ['pods', 'v1', 'Pod', { spec: pod }, { spec: { activeDeadlineSeconds: 60 } }],
  ['services', 'v1', 'Service', { spec: { ports: [{ port: 80 }] } }, { spec: { publishNotReadyAddresses: true } }],
  ['deployments.apps', 'apps/v1', 'Deployment', { spec: { selector, template } }, { spec: { replicas: 4 } }],
  ['replicasets.apps', 'apps/v1', 'ReplicaSet', { spec: { selector, template } }, { spec: { replicas: 4 } }],
  ['statefulsets.apps', 'apps/v1', 'StatefulSet', { spec: { selector, template } }, { spec: { minReadySeconds: 4 } }],
  ['daemonsets.apps', 'apps/v1', 'DaemonSet', { spec: { selector, template } }, { spec: { minReadySeconds: 4 } }],
  [
    'jobs.batch',
    'batch/v1',
    'Job',
    { spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } },
    { spec: { parallelism: 3 } },
  ],
  [
    'cronjobs.batch',
    'batch/v1',
    'CronJob',
    {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } },
      },
    },
    { spec: { suspend: true } },
  ],
  [
    'ingresses.networking.k8s.io',
    'networking.k8s.io/v1',
    'Ingress',
    { spec: { defaultBackend: { service: { name: 'x', port: { number: 80 } } } } },
    { spec: { ingressClassName: 'edge' } },
  ],
  [
    'networkpolicies.networking.k8s.io',
    'networking.k8s.io/v1',
    'NetworkPolicy',
    { spec: { podSelector: {} } },
    { spec: { policyTypes: ['Egress'] } },
  ],
  [
    'poddisruptionbudgets.policy',
    'policy/v1',
    'PodDisruptionBudget',
    { spec: { selector } },
    { spec: { minAvailable: 1 } },
  ],
  [
    'roles.rbac.authorization.k8s.io',
    'rbac.authorization.k8s.io/v1',
    'Role',
    { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    { metadata: { annotations: { note: 'hello' } } },
  ],
  [
    'rolebindings.rbac.authorization.k8s.io',
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    { roleRef: role },
    { subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' }] },
  ],
  ['leases.coordination.k8s.io', 'coordination.k8s.io/v1', 'Lease', { spec: {} }, { spec: { holderIdentity: 'me' } }],
  [
    'resourcequotas',
    'v1',
    'ResourceQuota',
    { spec: { hard: { 'count/widgets': '9' } } },
    { spec: { hard: { pods: '500' } } },
  ],
]

/** Kinds with something of their own in how they are written; the others go the same way, and are tried in short. */
const thorough = new Set(['configmaps', 'pods', 'services', 'deployments.apps', 'jobs.batch', 'resourcequotas'])

let server: TestServer
const kubectl: TestServer['kubectl'] = (args, options) => server.kubectl(args, options)
const get = async (what: string, path: string) =>
  (await kubectl(['get', ...what.split(' '), '-o', `jsonpath=${path}`])).stdout

beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, 'e2e')
  await kubectl('config set-context --current --namespace=e2e')
})
afterAll(() => server?.stop())

/** As kubectl prints it: singular, with the group. */
const printedName = (kind: string, resource: string): string =>
  `${kind.toLowerCase()}${resource.includes('.') ? resource.slice(resource.indexOf('.')) : ''}/x`

test.each(kinds.filter(([resource]) => !thorough.has(resource)))(
  '%s are created, shown, changed and deleted',
  async (resource, apiVersion, kind, body, change) => {
    const printed = printedName(kind, resource)
    const manifest = (more: object = {}) =>
      JSON.stringify(merge({ apiVersion, kind, metadata: { name: 'x' } }, merge(body, more)))
    expect((await kubectl('create --save-config -f -', { input: manifest() })).stdout).toBe(`${printed} created\n`)
    expect((await kubectl('apply -f -', { input: manifest(change) })).stdout).toBe(`${printed} configured\n`)
    expect((await kubectl('diff -f -', { input: manifest(change) })).stdout).toBe('')
    expect((await kubectl(`describe ${resource} x`)).stdout).toMatch(/^Name: +x\n/)
    expect((await kubectl(`delete ${resource}/x --timeout=20s`)).stdout).toMatch(/^\S+ "x" deleted/)
  },
)

describe.each(kinds.filter(([resource]) => thorough.has(resource)))(
  '%s',
  (resource, apiVersion, kind, body, change) => {
    const name = 'x'
    const short = `${resource}/${name}`
    const manifest = (more: object = {}) =>
      JSON.stringify(merge({ apiVersion, kind, metadata: { name, labels: { made: 'first' } } }, merge(body, more)))
    const printed = printedName(kind, resource)

    test('is created once', async () => {
      const dry = await kubectl('create --dry-run=server -f -', { input: manifest() })
      expect(dry.stdout).toBe(`${printed} created (server dry run)\n`)
      expect((await kubectl('create -f -', { input: manifest() })).stdout).toBe(`${printed} created\n`)
      const again = await kubectl('create -f -', { input: manifest(), expectFailure: true })
      expect(again.stderr).toContain(
        `Error from server (AlreadyExists): error when creating "STDIN": ${resource} "x" already exists`,
      )
    })

    test('is shown in every form', async () => {
      expect((await kubectl(`get ${resource} -o name`)).stdout.split('\n')).toContain(printed)
      expect((await kubectl(`get ${short} -o wide`)).stdout).toMatch(/^NAME .*\nx /)
      expect((await kubectl(`get ${resource} -A`)).stdout).toMatch(/^NAMESPACE +NAME /)
      expect((await kubectl(`get ${short} -o yaml`)).stdout).toMatch(
        new RegExp(`^apiVersion: ${apiVersion}\n.*kind: ${kind}\n`, 's'),
      )
      expect(await get(short, '{.metadata.labels.made} {.kind}')).toBe(`first ${kind}`)
      expect(await get(`${resource} -l made=first`, '{.items[*].metadata.name}')).toBe('x')
      expect(await get(`${resource} --field-selector metadata.name=x`, '{.items[*].metadata.name}')).toBe('x')
      expect(await get(`${resource} --field-selector metadata.name=y`, '{.items[*].metadata.name}')).toBe('')
      expect((await kubectl(`describe ${resource} x`)).stdout).toMatch(/^Name: +x\n/)
    })

    test('is labelled and annotated', async () => {
      expect((await kubectl(`label ${short} tier=front`)).stdout).toBe(`${printed} labeled\n`)
      expect((await kubectl(`label ${short} tier-`)).stdout).toBe(`${printed} unlabeled\n`)
      expect((await kubectl(`label ${short} made=second`, { expectFailure: true })).stderr).toMatch(
        /already has a value \(first\)/,
      )
      expect((await kubectl(`annotate ${short} example.com/note=hello`)).stdout).toBe(`${printed} annotated\n`)
      expect(await get(short, '{.metadata.annotations.example\\.com/note}')).toBe('hello')
    })

    test('is patched in every way', async () => {
      const patch = (type: string, patch: unknown) =>
        kubectl(['patch', short, '--type', type, '-p', JSON.stringify(patch)]).then((run) => run.stdout)
      expect(await patch('strategic', { metadata: { labels: { one: 'a' } } })).toBe(`${printed} patched\n`)
      expect(await patch('merge', { metadata: { labels: { two: 'b', one: null } } })).toBe(`${printed} patched\n`)
      expect(await patch('json', [{ op: 'add', path: '/metadata/labels/three', value: 'c' }])).toBe(
        `${printed} patched\n`,
      )
      expect(await patch('merge', { metadata: { labels: { two: 'b' } } })).toBe(`${printed} patched (no change)\n`)
      expect(JSON.parse(await get(short, '{.metadata.labels}'))).toEqual({ made: 'first', two: 'b', three: 'c' })
      const absent = [{ op: 'test', path: '/metadata/labels/made', value: 'never' }]
      const run = await kubectl(['patch', short, '--type=json', '-p', JSON.stringify(absent)], { expectFailure: true })
      expect(run.stderr).toMatch(/testing value \/metadata\/labels\/made failed|testing path/)
    })

    test('is replaced, and not over a newer version', async () => {
      const current = JSON.parse((await kubectl(`get ${short} -o json`)).stdout)
      current.metadata.labels.made = 'third'
      expect((await kubectl('replace -f -', { input: JSON.stringify(current) })).stdout).toBe(`${printed} replaced\n`)
      const stale = await kubectl('replace -f -', { input: JSON.stringify(current), expectFailure: true })
      expect(stale.stderr).toContain(
        `Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on ${resource} "x": the object has been modified; please apply your changes to the latest version and try again`,
      )
    })

    test('is applied by the client and by the server', async () => {
      const changed = manifest(change)
      expect((await kubectl('apply -f -', { input: changed })).stdout).toBe(`${printed} configured\n`)
      expect((await kubectl('diff -f -', { input: changed })).stdout).toBe('')
      expect((await kubectl('apply --server-side --force-conflicts -f -', { input: changed })).stdout).toBe(
        `${printed} serverside-applied\n`,
      )
      const other = manifest({ metadata: { name, labels: { made: 'elsewhere' } } })
      const conflict = await kubectl('apply --server-side --field-manager=other -f -', {
        input: other,
        expectFailure: true,
      })
      expect(conflict.stderr).toContain('Apply failed with 1 conflict: conflict with "kubectl"')
      expect(conflict.stderr).toContain('.metadata.labels.made')
    })

    test('is edited in an editor', async () => {
      const editor = join(server.directory, 'editor.sh')
      writeFileSync(editor, '#!/bin/sh\nsed -i "s/made: first/made: edited/" "$1"\n')
      chmodSync(editor, 0o755)
      expect((await kubectl(`edit ${short}`, { env: { EDITOR: editor } })).stdout).toBe(`${printed} edited\n`)
      expect(await get(short, '{.metadata.labels.made}')).toBe('edited')
    })

    test('is deleted, and then is not found', async () => {
      const flags = resource === 'pods' ? '--now' : '--wait=true'
      expect((await kubectl(`delete ${short} ${flags} --timeout=20s`)).stdout).toMatch(/^\S+ "x" (force )?deleted/)
      const run = await kubectl(`get ${short}`, { expectFailure: true })
      expect(run.stderr).toBe(`Error from server (NotFound): ${resource} "x" not found\n`)
    })
  },
)

describe('workloads', () => {
  test('a deployment is made, scaled, given an image, autoscaled and described', async () => {
    await kubectl('create deployment web --image=registry.example/web:1 --replicas=2 --port=80')
    expect((await kubectl('scale deployment web --replicas=5')).stdout).toBe('deployment.apps/web scaled\n')
    expect(
      (await kubectl('scale deployment web --current-replicas=2 --replicas=9', { expectFailure: true })).stderr,
    ).toMatch(/Expected replicas to be 2, was 5/)
    expect((await kubectl('set image deployment/web web=registry.example/web:2')).stdout).toBe(
      'deployment.apps/web image updated\n',
    )
    await kubectl('set resources deployment web --limits=cpu=200m,memory=64Mi')
    await kubectl('set env deployment/web MODE=fast')
    const container = JSON.parse(await get('deployment web', '{.spec.template.spec.containers[0]}'))
    expect(container).toMatchObject({
      image: 'registry.example/web:2',
      resources: { limits: { cpu: '200m', memory: '64Mi' } },
      env: [{ name: 'MODE', value: 'fast' }],
    })
    expect((await kubectl('autoscale deployment web --min=1 --max=4 --cpu=80%')).stdout).toBe(
      'horizontalpodautoscaler.autoscaling/web autoscaled\n',
    )
    expect((await kubectl('get hpa web')).stdout).toMatch(/web +Deployment\/web +cpu: <unknown>\/80% +1 +4 +0/)
    await kubectl('expose deployment web --port=80')
    expect(await get('service web', '{.spec.clusterIP}')).toMatch(/^10\.96\./)
    expect((await kubectl('describe deployment web')).stdout).toMatch(/Replicas: +5 desired/)
    expect((await kubectl('rollout pause deployment web')).stdout).toBe('deployment.apps/web paused\n')
    expect((await kubectl('rollout resume deployment web')).stdout).toBe('deployment.apps/web resumed\n')
    expect((await kubectl('rollout restart deployment web')).stdout).toBe('deployment.apps/web restarted\n')
    expect((await kubectl('rollout history statefulset,daemonset')).stdout).toBe('')
    expect(await get('deployment web', '{.metadata.generation}')).toBe('8')
  })

  test('all is what people mean by it', async () => {
    const text = (await kubectl('get all -A')).stdout
    expect(text).toMatch(/deployment\.apps\/web/)
    expect(text).toMatch(/service\/kubernetes/)
    expect(text).toMatch(/horizontalpodautoscaler\.autoscaling\/web/)
    expect(text).not.toMatch(/configmap|secret/)
  })

  test('a pod runs into its service account, default tolerations and a graceful end', async () => {
    await kubectl('run one --image=registry.example/one:1 --labels=app=one --env=A=b')
    const made = JSON.parse((await kubectl('get pod one -o json')).stdout)
    expect(made.spec).toMatchObject({
      serviceAccountName: 'default',
      preemptionPolicy: 'PreemptLowerPriority',
      priority: 0,
    })
    expect(made.spec.tolerations).toHaveLength(2)
    expect(made.spec.volumes[0].name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
    expect(made.status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' })
    expect((await kubectl('get pod one')).stdout).toMatch(/one +0\/1 +Pending +0 +\d+s/)
    await kubectl('delete pod one --grace-period=0 --force')
    expect((await kubectl('get pod one', { expectFailure: true })).stderr).toContain('pods "one" not found')
  })

  const configMapWatches = async () => {
    const { stdout } = await kubectl('get --raw /metrics')
    return Number(/^apiserver_longrunning_requests\{.*resource="configmaps".*\} (\d+)$/m.exec(stdout)?.[1] ?? 0)
  }

  test('waiting ends with the condition, and watching sees the change', async () => {
    await kubectl('create configmap awaited')
    const waiting = kubectl(['wait', '--for=jsonpath={.data.ready}=yes', 'configmap/awaited', '--timeout=20s'])
    const watching = kubectl('get configmap awaited --watch -o jsonpath={.data.ready}; --request-timeout=12s', {
      codes: [1],
    })
    // The watch has only so long, and on a busy machine the patch may be late.
    await until(async () => (await configMapWatches()) > 1)
    await kubectl(['patch', 'configmap', 'awaited', '-p', '{"data":{"ready":"yes"}}'])
    expect((await waiting).stdout).toBe('configmap/awaited condition met\n')
    expect((await watching).stdout).toMatch(/yes;$/)
    await until(async () => (await configMapWatches()) === 0)
    const gone = kubectl('wait --for=delete configmap/awaited --timeout=20s')
    // It says nothing about what has gone already when it looks.
    await until(async () => (await configMapWatches()) > 0)
    await kubectl('delete configmap awaited')
    expect((await gone).stdout).toBe('configmap/awaited condition met\n')
    const late = await kubectl('wait --for=delete namespace/e2e --timeout=1s', { expectFailure: true })
    expect(late.stderr).toContain('timed out waiting for the condition on namespaces/e2e')
  })

  test('a stored job is made of a cron job', async () => {
    await kubectl(['create', 'cronjob', 'tick', '--image=registry.example/tick', '--schedule=*/5 * * * *'])
    await kubectl('create job tock --from=cronjob/tick')
    expect(await get('job tock', '{.metadata.ownerReferences[0].kind} {.spec.template.metadata.labels}')).toMatch(
      /^CronJob .*batch.kubernetes.io\/job-name":"tock"/,
    )
    expect((await kubectl('get cronjob tick')).stdout).toMatch(/\*\/5 \* \* \* \* +<none> +False +0 +<none>/)
  })

  test('a service account gets a token', async () => {
    const { stdout } = await kubectl('create token default --duration=1h')
    expect(stdout.split('.')).toHaveLength(3)
    const whoami = await kubectl([
      'auth',
      'whoami',
      '--token',
      stdout.trim(),
      '--kubeconfig',
      tokenKubeconfig(),
      '-o',
      'json',
    ])
    expect(JSON.parse(whoami.stdout).status.userInfo).toMatchObject({
      username: 'system:serviceaccount:e2e:default',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:e2e', 'system:authenticated'],
    })
  })
})

describe('what the server says of itself', () => {
  test('explains fields', async () => {
    const strategy = (await kubectl('explain deployment.spec.strategy')).stdout
    expect(strategy).toMatch(/^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: strategy <DeploymentStrategy>/)
    expect(strategy).toContain('rollingUpdate\t<RollingUpdateDeployment>')
    expect(strategy).toContain('DeploymentStrategy describes how to replace existing pods with new ones.')
    expect((await kubectl('explain pod --recursive')).stdout).toMatch(/terminationGracePeriodSeconds\t<integer>/)
    expect((await kubectl('explain pod.spec.nothing', { expectFailure: true })).stderr).toMatch(
      /field "nothing" does not exist/,
    )
  })

  test('lists resources and versions', async () => {
    const resources = (await kubectl('api-resources')).stdout
    expect(resources).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m)
    expect(resources).toMatch(/^cronjobs +cj +batch\/v1 +true +CronJob$/m)
    expect((await kubectl('api-resources --namespaced=false --verbs=list -o name')).stdout).toMatch(/^nodes$/m)
    expect((await kubectl('api-versions')).stdout.split('\n')).toEqual(
      expect.arrayContaining(['apps/v1', 'autoscaling/v1', 'autoscaling/v2', 'batch/v1', 'events.k8s.io/v1', 'v1']),
    )
    expect(JSON.parse((await kubectl('version -o json')).stdout).serverVersion).toMatchObject({
      major: '1',
      minor: '36',
    })
    expect((await kubectl('cluster-info')).stdout).toContain(server.url)
    expect((await kubectl('get --raw /readyz?verbose')).stdout).toMatch(/readyz check passed\n$/)
  })

  test('tells who may do what', async () => {
    expect((await kubectl('auth can-i create deployments')).stdout).toBe('yes\n')
    const no = await kubectl('auth can-i delete nodes --as=system:serviceaccount:e2e:default', { codes: [1] })
    expect(no.stdout).toContain('no')
    expect((await kubectl('auth can-i --list --as=alice')).stdout).toMatch(
      /selfsubjectreviews\.authentication\.k8s\.io/,
    )
    const forbidden = await kubectl('get secrets --as=alice', { expectFailure: true })
    expect(forbidden.stderr).toBe(
      'Error from server (Forbidden): secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" in the namespace "e2e"\n',
    )
    await kubectl('create role reader --verb=get,list --resource=secrets')
    await kubectl('create rolebinding reader --role=reader --user=alice')
    expect((await kubectl('auth can-i list secrets --as=alice')).stdout).toBe('yes\n')
    await kubectl('get secrets --as=alice')
  })
})

describe('a manifest that is wrong', () => {
  const wrong: readonly [what: string, body: object, said: RegExp][] = [
    [
      'has a field nobody knows',
      { spec: { selector, template, replicsa: 3 } },
      /strict decoding error: unknown field "spec\.replicsa"/,
    ],
    [
      'has a value of the wrong type',
      { spec: { selector, template, replicas: 'three' } },
      /(cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32|json: cannot unmarshal string)/,
    ],
    [
      'has a value that is not allowed',
      { spec: { selector, template, replicas: -1 } },
      /The Deployment "x" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0/,
    ],
    ['lacks what is required', { spec: { template } }, /spec\.selector: Required value/],
    [
      'does not agree with itself',
      { spec: { selector: { matchLabels: { app: 'y' } }, template } },
      /spec\.template\.metadata\.labels: Invalid value: \{"app":"x"\}: `selector` does not match template `labels`/,
    ],
    [
      'names a policy that does not exist',
      { spec: { selector, template: { ...template, spec: { ...pod, restartPolicy: 'Sometimes' } } } },
      /spec\.template\.spec\.restartPolicy: Unsupported value: "Sometimes": supported values: "Always"/,
    ],
  ]

  test.each(wrong)('it %s', async (_what, body, said) => {
    const input = JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' }, ...body })
    // Validated by the server; kubectl checks fields itself only against servers that cannot.
    const run = await kubectl('create -f -', { input, expectFailure: true })
    expect(run.stderr).toMatch(said)
  })

  test('it has a name that is none, an unknown kind, or no namespace', async () => {
    const input = (metadata: object, kind = 'ConfigMap') => JSON.stringify({ apiVersion: 'v1', kind, metadata })
    const named = await kubectl('create -f -', { input: input({ name: 'Not_A_Name' }), expectFailure: true })
    expect(named.stderr).toMatch(
      /The ConfigMap "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain must consist of/,
    )
    const unknown = await kubectl('create -f -', { input: input({ name: 'x' }, 'Confmap'), expectFailure: true })
    expect(unknown.stderr).toContain('no matches for kind "Confmap" in version "v1"')
    const nowhere = await kubectl('create -n nowhere -f -', { input: input({ name: 'x' }), expectFailure: true })
    expect(nowhere.stderr).toContain('namespaces "nowhere" not found')
  })
})

describe('other clients and stores', () => {
  test('older clients read and write', async () => {
    const old = server.clients(32)
    await old.kubectl('create configmap old --from-literal=a=b')
    expect((await old.kubectl('get all,configmap')).stdout).toMatch(/configmap\/old/)
    expect((await old.kubectl('explain service.spec.type')).stdout).toMatch(/FIELD: type/)
    await old.kubectl('apply -f -', {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old' }, data: { a: 'c' } }),
    })
    await old.kubectl('delete configmap old')
  })

  test('the same on etcd, by two servers on one cluster', { timeout: 120_000 }, async () => {
    let etcd: EtcdCluster | undefined
    const servers: TestServer[] = []
    try {
      etcd = await startEtcd()
      servers.push(await startServer({ etcd: etcd.endpoints }), await startServer({ etcd: etcd.endpoints }))
      const [one, two] = servers as [TestServer, TestServer]
      await one.kubectl('create namespace shared')
      await two.kubectl('create deployment web --image=registry.example/web -n shared')
      await one.kubectl('scale deployment web --replicas=3 -n shared')
      expect((await two.kubectl('get deployment web -n shared -o jsonpath={.spec.replicas}')).stdout).toBe('3')
      await one.kill9()
      await two.kubectl('set image deployment/web *=registry.example/web:2 -n shared')
      await one.restart()
      expect(
        (await one.kubectl('get deployment -A -o jsonpath={.items[*].spec.template.spec.containers[0].image}')).stdout,
      ).toBe('registry.example/web:2')
      await one.kubectl('delete deployment web -n shared')
      expect((await two.kubectl('get deployments -A')).stderr).toContain('No resources found')
    } finally {
      for (const each of servers) await each.stop()
      await etcd?.stop()
    }
  })
})

/** A kubeconfig with the server and nobody's credentials: a token beside a certificate would not be asked for. */
function tokenKubeconfig(): string {
  const path = join(server.directory, 'anonymous.kubeconfig')
  const cluster = { server: server.url, 'insecure-skip-tls-verify': true }
  writeFileSync(
    path,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  return path
}

/** A deep merge of plain objects; anything else is taken from `change`. */
function merge(body: object, change: object): object {
  const isPlain = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const merged: Record<string, unknown> = { ...body }
  for (const [key, value] of Object.entries(change)) {
    const before = merged[key]
    merged[key] = isPlain(before) && isPlain(value) ? merge(before, value) : value
  }
  return merged
}
