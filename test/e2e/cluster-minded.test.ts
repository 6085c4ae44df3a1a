import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildBox, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// What annotations under gantry.dev/ do in a whole cluster, with real containers on two nodes.

const why = withoutContainers()

describe.skipIf(why)(`annotations${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'containerd', '--nodes', '2', '--quickstart'])
    await buildBox(cluster)
    await cluster.kubectl('delete -n default deployment,service hello --ignore-not-found')
  }, 180_000)
  afterAll(async () => cluster?.down(), 60_000)

  const kubectl = (args: string | readonly string[], options?: Parameters<TestCluster['kubectl']>[1]) =>
    cluster.kubectl(args, options)
  const apply = (...objects: object[]) =>
    kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) })
  /** One field of an object, by JSONPath. */
  const field = async (what: string, path: string) =>
    (await kubectl(['get', ...what.split(' '), '-o', `jsonpath={${path}}`])).stdout
  const eventually = (what: string, path: string, wanted: string | RegExp, timeoutMs = 60_000) =>
    until(
      async () => {
        const is = await field(what, path)
        return typeof wanted === 'string' ? is === wanted : wanted.test(is)
      },
      { timeoutMs, everyMs: 200, message: `${path} of ${what} is ${wanted}` },
    )

  interface Pods {
    annotations?: object
    container?: object
    spec?: object
  }
  const template = (app: string, { annotations = {}, container = {}, spec = {} }: Pods) => ({
    metadata: { labels: { app }, annotations },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: 'gantry.local/box:1', command: ['sleep', '100000'], ...container }],
      ...spec,
    },
  })
  /** Containers that run and pods that nobody ever calls ready. */
  const neverReady = { readinessGates: [{ conditionType: 'example.com/never' }] }
  const endsWith = (code: string) => ({ command: ['sh', '-c', `exit ${code}`] })
  /** The same container, told apart by what stands in its environment. */
  const version = (value: string) => ({ env: [{ name: 'VERSION', value }] })
  interface Workload {
    annotations?: object
    pods?: Pods
    spec?: object
  }
  const workload = (kind: string, name: string, { annotations = {}, pods = {}, spec = {} }: Workload = {}) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, annotations },
    spec: { selector: { matchLabels: { app: name } }, template: template(name, pods), ...spec },
  })
  const service = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80 }] },
  })

  test('depends-on: pods start when what they depend on is ready, and a ring is refused', async () => {
    const annotations = { 'gantry.dev/depends-on': 'service/db, job/migrate' }
    await apply(workload('Deployment', 'web', { pods: { annotations } }), service('db'))
    const waits = `.items[0].status.conditions[?(@.type=="gantry.dev/DependenciesReady")].message`
    await eventually('pods -l app=web', waits, 'waiting for service/db (no ready endpoint), job/migrate (not found)')
    expect((await kubectl('get pods -l app=web')).stdout).toContain('SchedulingGated')

    const job = template('migrate', { container: endsWith('0'), spec: { restartPolicy: 'Never' } })
    await apply(workload('StatefulSet', 'db', { spec: { serviceName: 'db' } }), {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate' },
      spec: { template: job },
    })
    await kubectl('rollout status deployment/web --timeout=60s')
    expect((await kubectl('get events --field-selector reason=DependenciesReady')).stdout).toContain('pod/web-')

    const patch = JSON.stringify({
      spec: { template: { metadata: { annotations: { 'gantry.dev/depends-on': 'deploy/web' } } } },
    })
    const refused = await kubectl(['patch', 'statefulset', 'db', '-p', patch], { expectFailure: true })
    expect(refused.stderr).toContain(
      'statefulset/db waits for deployment/web waits for service/db waits for statefulset/db, so none of them could ever start',
    )
    const nonsense = patch.replace('deploy/web', 'db')
    expect((await kubectl(['patch', 'statefulset', 'db', '-p', nonsense], { expectFailure: true })).stderr).toContain(
      'spec.template.annotations[gantry.dev/depends-on]: Invalid value: "db": "db" is not KIND/NAME',
    )
  })

  test('auto-rollback: a rollout that misses its deadline goes back to what was available', async () => {
    const annotations = { 'gantry.dev/auto-rollback': 'true' }
    const web = (value: string, spec = {}) =>
      workload('Deployment', 'minded', {
        annotations,
        pods: { container: version(value), spec },
        spec: { progressDeadlineSeconds: 4 },
      })
    await apply(web('good'))
    await eventually('rs -l app=minded', '.items[*].metadata.labels.gantry\\.dev/revision', 'available')
    await apply(web('bad', neverReady))
    const condition = '.status.conditions[?(@.type=="gantry.dev/RolledBack")]'
    await eventually('deployment minded', `${condition}.reason`, 'ProgressDeadlineExceeded')
    expect(await field('deployment minded', `${condition}.message`)).toMatch(
      /^Rolled back from revision 2 \(minded-\w+\) to revision 1 \(minded-\w+\): ReplicaSet "minded-\w+" has timed out/,
    )
    expect(await field('deployment minded', '.spec.template.spec.containers[0].env[0].value')).toBe('good')
    await kubectl('rollout status deployment/minded --timeout=40s')
  })

  test('rollout-steps: a rollout goes on after a yes, and back without', async () => {
    // A server that answers with the status its path names.
    const program = `require('node:http').createServer((req, res) => res.writeHead(Number(req.url.slice(1))).end()).listen(80)`
    await apply(
      workload('Deployment', 'answers', { pods: { container: { command: ['node', '-e', program] } } }),
      service('answers'),
    )
    await kubectl('rollout status deployment/answers --timeout=30s')
    const url = 'http://answers'
    const web = (value: string, path: string) => {
      const steps = JSON.stringify([{ hold: '50%', probe: `${url}/${path}`, for: '1s', within: '6s' }])
      const annotations = { 'gantry.dev/rollout-steps': steps }
      return workload('Deployment', 'stepped', {
        annotations,
        pods: { container: version(value) },
        spec: { replicas: 2 },
      })
    }
    await apply(web('one', '200'))
    await eventually('rs -l app=stepped', '.items[*].metadata.labels.gantry\\.dev/revision', 'available')
    await apply(web('two', '200'))
    await kubectl('rollout status deployment/stepped --timeout=40s')
    expect((await kubectl('get events --field-selector reason=RolloutStepPassed')).stdout).toContain(
      `has passed step 1 (hold 50%): ${url}/200 answered 200`,
    )
    // It has passed all steps, so it is what the next goes back to.
    await eventually('rs -l app=stepped', '.items[*].metadata.labels.gantry\\.dev/revision', 'available available')
    await apply(web('three', '503'))
    await eventually('deployment stepped', '.status.conditions[?(@.type=="Progressing")].reason', 'RolloutHeld')
    await eventually(
      'deployment stepped',
      '.status.conditions[?(@.type=="gantry.dev/RolledBack")].reason',
      'StepFailed',
    )
    expect(await field('deployment stepped', '.spec.template.spec.containers[0].env[0].value')).toBe('two')
    const wrong = 'gantry.dev/rollout-steps=[{"hold": "150%", "probe": "http://web"}]'
    const { stderr } = await kubectl(['annotate', '--overwrite', 'deployment', 'stepped', wrong], {
      expectFailure: true,
    })
    expect(stderr).toContain(
      'metadata.annotations[gantry.dev/rollout-steps][0].hold: Invalid value: "150%": must not be greater than 100%',
    )
  })

  test('restart-on-change: a changed config map restarts what uses it', async () => {
    const settings = (value: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings' },
      data: { value },
    })
    const volumes = [{ name: 'v', projected: { sources: [{ configMap: { name: 'settings' } }] } }]
    const annotations = { 'gantry.dev/restart-on-change': 'true' }
    await apply(settings('1'), workload('StatefulSet', 'reader', { annotations, pods: { spec: { volumes } } }))
    await eventually('statefulset reader', '.metadata.annotations.gantry\\.dev/config-digests', /configmap\/settings/)
    await eventually('pod reader-0', '.status.phase', 'Running')
    const uid = await field('pod reader-0', '.metadata.uid')
    await apply(settings('2'))
    await until(async () => (await field('pod reader-0', '.metadata.uid').catch(() => uid)) !== uid, {
      message: 'the pod is another',
    })
    expect((await kubectl('get events --field-selector reason=ConfigurationChanged')).stdout).toContain(
      'Restarted because configmap/settings has changed',
    )
  })

  test('surge-on-drain: a single replica moves to another node without a gap', async () => {
    const annotations = { 'gantry.dev/surge-on-drain': 'true' }
    await apply(workload('Deployment', 'single', { annotations }))
    await kubectl('rollout status deployment/single --timeout=40s')
    const node = await field('pods -l app=single', '.items[0].spec.nodeName')
    const drained = kubectl(`drain ${node} --force --pod-selector=app=single --timeout=40s`)
    const seen = new Set<string>()
    let over = false
    const watched = until(
      async () => {
        seen.add(await field('deployment single', '.status.availableReplicas'))
        return over
      },
      { timeoutMs: 60_000 },
    )
    await drained.finally(() => {
      over = true
    })
    await watched
    // Two at times; never none.
    expect([...seen].filter((count) => !/^[12]$/.test(count))).toEqual([])
    const pods = await field('pods -l app=single', '.items[*].spec.nodeName')
    expect(pods.split(' ').filter((name) => name !== node)).toHaveLength(1)
    await kubectl(`uncordon ${node}`)
  })

  test('crash-loop-max-backoff: crashes come faster, and a rollout goes back from them', async () => {
    const loop = {
      annotations: { 'gantry.dev/crash-loop-initial-backoff': '1s', 'gantry.dev/crash-loop-max-backoff': '2s' },
      container: endsWith('3'),
    }
    const annotations = { 'gantry.dev/auto-rollback': 'true' }
    await apply(workload('Deployment', 'crashes', { annotations }))
    await eventually('rs -l app=crashes', '.items[*].metadata.labels.gantry\\.dev/revision', 'available')
    await apply(workload('Deployment', 'crashes', { annotations, pods: loop }))
    const condition = '.status.conditions[?(@.type=="gantry.dev/RolledBack")]'
    await eventually('deployment crashes', `${condition}.reason`, 'CrashLoop')
    expect(await field('deployment crashes', `${condition}.message`)).toMatch(
      /container c of pod crashes-\S+ crashes again and again \(exit code 3\)/,
    )
    const wrong = { ...loop, annotations: { 'gantry.dev/crash-loop-max-backoff': '1h' } }
    const manifest = JSON.stringify(workload('Deployment', 'wrong', { pods: wrong }))
    const { stderr } = await kubectl(['apply', '-f', '-'], { input: manifest, expectFailure: true })
    expect(stderr).toContain(
      'spec.template.annotations[gantry.dev/crash-loop-max-backoff]: Invalid value: "1h": must be a duration from 1s to 5m, such as 30s',
    )
  })

  test('without any: a stateful set gets out of an update that crashes', async () => {
    const db = (pods: Pods) => workload('StatefulSet', 'stuck', { pods, spec: { replicas: 2 } })
    await apply(db({}))
    await kubectl('rollout status statefulset/stuck --timeout=60s')
    await apply(db({ container: endsWith('1') }))
    await eventually('pod stuck-1', '.status.containerStatuses[0].state.waiting.reason', 'CrashLoopBackOff')
    await apply(db({}))
    await kubectl('rollout status statefulset/stuck --timeout=60s')
    expect(await field('pod stuck-1', '.status.containerStatuses[0].restartCount')).toBe('0')
  })

  test('scale-down-victims: the pods named in the scale go', async () => {
    await apply(workload('Deployment', 'many', { spec: { replicas: 4 } }))
    await kubectl('rollout status deployment/many --timeout=40s')
    const names = async () => (await field('pods -l app=many', '.items[*].metadata.name')).split(' ')
    const [first = '', second = '', ...others] = await names()
    const patch = {
      metadata: { annotations: { 'gantry.dev/scale-down-victims': `${first},${second}` } },
      spec: { replicas: 2 },
    }
    await kubectl(['patch', 'deployment', 'many', '--subresource=scale', '--type=merge', '-p', JSON.stringify(patch)])
    await until(async () => (await names()).join() === others.join(), { message: 'the two are gone' })
  })

  test('gang: all pods of it get nodes, or none does', async () => {
    const gang = { 'gantry.dev/gang': 'crew', 'gantry.dev/gang-min-members': '3' }
    const member = (i: number) => {
      const { metadata, spec } = template('crew', { annotations: gang })
      return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: `crew-${i}` }, spec }
    }
    const nodesOf = () => field('pods -l app=crew', '.items[*].spec.nodeName')
    await apply(member(1), member(2))
    await apply(workload('Deployment', 'beside', {}))
    await kubectl('rollout status deployment/beside --timeout=20s')
    expect(await nodesOf()).toBe('')
    await apply(member(3))
    await kubectl('wait pod -l app=crew --for=condition=Ready --timeout=20s')
    const { metadata, spec } = template('crew', { annotations: { 'gantry.dev/gang': 'crew' } })
    const refused = await kubectl(['create', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'no-size' }, spec }),
    }).catch((error: Error) => error.message)
    expect(refused).toContain('needs gantry.dev/gang-min-members beside it')
  })
})
