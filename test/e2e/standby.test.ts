import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { stockClients } from '../support/stock-clients.ts'
import { until } from '../support/until.ts'

// Two controller managers of which one leads. That of the cluster itself is left with a controller that has nothing to do.

const why = withoutContainers()
const replicas = 50
const most = Math.ceil(replicas * 1.25)
const fewest = replicas - Math.floor(replicas * 0.25)

describe.skipIf(why)(`a standby${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  const started: ChildProcess[] = []

  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'hollow', '--extra-config', 'controller-manager.controllers=ttl'])
  }, 120_000)
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL')
    await cluster?.down()
  }, 60_000)

  const inside = (...command: string[]): ChildProcess => {
    const [program = '', ...args] = [...cluster.enter, ...command]
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    started.push(child)
    return child
  }
  const controllerManager = (name: string): ChildProcess => {
    const pki = (file: string) => join(cluster.dataDir, 'pki', file)
    const child = inside(
      process.execPath,
      'bin/gantry',
      'controller-manager',
      `--kubeconfig=${join(cluster.dataDir, 'controller-manager.kubeconfig')}`,
      '--secure-port=0',
      `--root-ca-file=${pki('ca.crt')}`,
      `--service-account-private-key-file=${pki('sa.key')}`,
    )
    const log = createWriteStream(join(cluster.dataDir, 'logs', `${name}.log`))
    child.stdout?.pipe(log)
    child.stderr?.pipe(log, { end: false })
    return child
  }
  const field = async (what: string, path: string) =>
    (await cluster.kubectl(['get', ...what.split(' '), '-o', `jsonpath={${path}}`], { codes: [1] })).stdout
  const holder = () => field('lease kube-controller-manager -n kube-system', '.spec.holderIdentity')

  test('takes over a rollout of 50 from a leader that was killed, within 20 s and its limits', async () => {
    const leader = controllerManager('leader')
    const first = await until(holder, { timeoutMs: 30_000, message: 'one leads' })
    controllerManager('standby')
    await cluster.kubectl(`create deployment big --image=one:1 --replicas=${replicas}`)
    await cluster.kubectl('rollout status deployment/big --timeout=60s')

    const seen = watchPods(inside, cluster.kubeconfig)
    await until(() => seen.events() >= replicas, { message: 'the pods are watched' })
    // New pods count only after a while, so that the rollout takes some steps.
    await cluster.kubectl(['patch', 'deployment', 'big', '-p', '{"spec":{"minReadySeconds":2}}'])
    await cluster.kubectl('set image deployment/big one=two:2')
    const updated = async () => Number(await field('deployment big', '.status.updatedReplicas'))
    await until(async () => (await updated()) >= 5, { timeoutMs: 30_000, everyMs: 20, message: 'it is under way' })
    leader.kill('SIGKILL')
    const killedAt = performance.now()
    expect(await updated()).toBeLessThan(replicas)

    await until(async () => (await holder()) !== first, { timeoutMs: 30_000, message: 'another leads' })
    expect(performance.now() - killedAt).toBeLessThan(20_000)
    await cluster.kubectl('rollout status deployment/big --timeout=60s')
    const images = () => field('pods -l app=big', '.items[*].spec.containers[0].image')
    const wanted = Array(replicas).fill('two:2').join(' ')
    await until(async () => (await images()) === wanted, { timeoutMs: 60_000, message: 'the old pods are gone' })
    const { events, largest, smallest } = seen.end()
    expect(events).toBeGreaterThan(3 * replicas)
    expect(largest).toBeLessThanOrEqual(most)
    expect(smallest).toBeGreaterThanOrEqual(fewest)
  }, 180_000)
})

/** Follows the pods of the deployment: the most there were at any time, and the fewest that were ready. */
function watchPods(inside: (...command: string[]) => ChildProcess, kubeconfig: string) {
  const ready = '{.object.status.conditions[?(@.type=="Ready")].status}'
  const line = `{.type} {.object.metadata.name} {.object.metadata.deletionTimestamp} ${ready}{"\\n"}`
  const command = [stockClients(36).kubectl, `--kubeconfig=${kubeconfig}`, 'get', 'pods', '-l', 'app=big']
  const watch = inside(...command, '--watch', '--output-watch-events', '-o', `jsonpath=${line}`)
  const pods = new Map<string, { going: boolean; ready: boolean }>()
  const seen = { largest: 0, smallest: replicas, events: 0 }
  const lines = createInterface({ input: watch.stdout as NodeJS.ReadableStream })
  lines.on('line', (text) => {
    const [type = '', name = '', deleted = '', status = ''] = text.split(' ')
    if (type === 'DELETED') pods.delete(name)
    else pods.set(name, { going: deleted !== '', ready: status === 'True' })
    seen.events++
    const standing = [...pods.values()].filter(({ going }) => !going)
    seen.largest = Math.max(seen.largest, standing.length)
    // What is there already comes first, one by one.
    if (seen.events > replicas) seen.smallest = Math.min(seen.smallest, standing.filter((pod) => pod.ready).length)
  })
  return {
    events: () => seen.events,
    end() {
      watch.kill()
      return seen
    },
  }
}
