import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Cli, cliFor } from './kubectl.ts'
import { caller, constantLoad, type Load } from './load.ts'

export interface TestCluster extends Cli {
  readonly kubeconfig: string
  readonly dataDir: string
  /** Goes before a command that is to run on the cluster's machine: a network namespace of its own. */
  readonly enter: readonly string[]
  /** One request from there; resolves to the body of a 200. */
  call(url: string, timeoutMs?: number): Promise<string>
  /** Requests from there without pause. */
  load(url: string): Load
  /** What `gantry up` printed. */
  readonly said: string
  /** How long it took, in milliseconds. */
  readonly upMs: number
  /** The process id of a component, as `gantry status` knows it. */
  pid(component: string): number
  /** The id of containerd on a node. */
  containerdPid(node: string): number
  /** kubectl get … -o json. */
  get<T = KubeList>(what: string): Promise<T>
  gantry(args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }>
  /** Ends the cluster and removes its data. */
  down(): Promise<void>
}

/** Any object, as far as these tests look into it. */
export interface KubeItem {
  metadata: {
    name: string
    namespace: string
    uid: string
    deletionTimestamp?: string
    labels?: Record<string, string>
  }
  spec: { nodeName?: string; clusterIP?: string; replicas?: number }
  status: {
    phase?: string
    podIP?: string
    readyReplicas?: number
    conditions?: { type: string; status: string }[]
    containerStatuses?: { restartCount: number; containerID?: string; ready: boolean; name: string }[]
  }
}

export interface KubeList {
  items: KubeItem[]
}

const gantryPath = fileURLToPath(new URL('../../bin/gantry', import.meta.url))

/** Why clusters with real containers cannot run here; undefined when they can. */
export function withoutContainers(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
  const missing = ['containerd', 'runc', 'nft', 'conntrack', 'ip'].filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  )
  return missing.length > 0 ? `needs ${missing.join(', ')}` : undefined
}

/**
 * Starts a cluster in a temporary directory with `gantry up --detach`, and waits until it is ready. Its machine is a
 * network namespace: other clusters of this machine, and other tests, cannot disturb it. Without `ownMachine` it is this
 * machine itself, which needs no root where containers are plain processes.
 */
export async function startCluster(
  flags: readonly string[] = [],
  { ownMachine = true }: { ownMachine?: boolean } = {},
): Promise<TestCluster> {
  const home = mkdtempSync(join(tmpdir(), 'gantry-cluster-'))
  const machine = ownMachine ? makeMachine() : { enter: [], remove() {} }
  const { enter } = machine
  const dataDir = join(home, 'data')
  const kubeconfig = join(dataDir, 'kubeconfig')
  const gantry = (args: readonly string[]) => runGantry([...args, '--data-dir', dataDir], enter)
  const startedAt = performance.now()
  // On a machine of its own it has the port that people know; on this one another may have it.
  const up = await gantry(['up', '--detach', ...(ownMachine ? [] : ['--port', '0']), ...flags])
  const upMs = performance.now() - startedAt
  const cli = cliFor(kubeconfig, { home, enter })
  const end = async () => {
    const { code, stdout, stderr } = await gantry(['down', '--delete-data'])
    machine.remove()
    if (code !== 0 && existsSync(dataDir)) throw new Error(`gantry down: exit ${code}\n${stdout}${stderr}`)
    rmSync(home, { recursive: true, force: true })
  }
  if (up.code !== 0) {
    await end().catch(() => {})
    throw new Error(`gantry up: exit ${up.code}\n${up.stdout}${up.stderr}`)
  }
  const { call, stop } = caller(enter)
  return {
    ...cli,
    kubeconfig,
    dataDir,
    enter,
    call,
    load: (url) => constantLoad(enter, url),
    said: up.stdout,
    upMs,
    gantry,
    pid: (component) => JSON.parse(readFileSync(join(dataDir, 'run', `${component}.json`), 'utf8')).pid as number,
    containerdPid: (node) =>
      Number(readFileSync(join(dataDir, 'nodes', node, 'runtime/containerd.pid'), 'utf8').split(' ')[0]),
    get: async (what) => JSON.parse((await cli.kubectl(`get ${what} -o json`)).stdout),
    async down() {
      stop()
      await end()
    },
  }
}

/**
 * The quickstart's image with a shell and small tools, and its user root, under the name `gantry.local/box:1`, built on
 * every node of the cluster.
 */
export async function buildBox(cluster: TestCluster): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'gantry-box-'))
  try {
    mkdirSync(join(context, 'bin'))
    const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim()
    copyFileSync(busybox, join(context, 'bin/busybox'))
    for (const name of ['sh', 'sleep', 'cat', 'touch', 'rm', 'test', 'kill', 'ls', 'true', 'false']) {
      symlinkSync('busybox', join(context, 'bin', name))
    }
    writeFileSync(join(context, 'Containerfile'), 'FROM gantry.local/hello:1\nUSER 0\nCOPY bin /bin\n')
    const { code, stdout, stderr } = await cluster.gantry(['image', 'build', context, '--tag', 'gantry.local/box:1'])
    if (code !== 0) throw new Error(`gantry image build: exit ${code}\n${stdout}${stderr}`)
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}

/** A network namespace with an address, like a machine on a network where nobody else is. */
export function makeMachine(): { enter: string[]; remove(): void } {
  const name = `gantry-test-${process.pid}-${++machines}`
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  ip('netns', 'add', name)
  for (const line of [
    'link set lo up',
    'link add eth0 type bridge',
    'addr add 198.51.100.1/24 dev eth0',
    'link set eth0 up',
    'route add default via 198.51.100.254',
  ]) {
    ip('-n', name, ...line.split(' '))
  }
  return { enter: ['nsenter', `--net=/run/netns/${name}`], remove: () => void ip('netns', 'del', name) }
}

let machines = 0

/** Runs gantry to its end. */
export function runGantry(
  args: readonly string[],
  enter: readonly string[] = [],
  { input }: { input?: string } = {},
): Promise<{ stdout: string; stderr: string; code: number }> {
  return new Promise((resolve, reject) => {
    const [program = '', ...rest] = [...enter, process.execPath, '--max-semi-space-size=4', gantryPath, ...args]
    const child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 180_000,
      killSignal: 'SIGKILL',
    })
    // One that reads no input may be gone already.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
      })
    }
    child.once('error', reject)
    child.once('close', (code) => resolve({ ...said, code: code ?? 137 }))
  })
}
