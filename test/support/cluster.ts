import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Cli, cliFor } from './kubectl.ts'

export interface TestCluster extends Cli {
  readonly kubeconfig: string
  readonly dataDir: string
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
  metadata: { name: string; namespace: string; uid: string; labels?: Record<string, string> }
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

/** Starts a cluster in a temporary directory with `gantry up --detach`, and waits until it is ready. */
export async function startCluster(flags: readonly string[] = []): Promise<TestCluster> {
  const home = mkdtempSync(join(tmpdir(), 'gantry-cluster-'))
  const dataDir = join(home, 'data')
  const kubeconfig = join(dataDir, 'kubeconfig')
  const gantry = (args: readonly string[]) => runGantry([...args, '--data-dir', dataDir])
  const startedAt = performance.now()
  const up = await gantry(['up', '--detach', '--port', '0', ...flags])
  const upMs = performance.now() - startedAt
  const cli = cliFor(kubeconfig, { home })
  const down = async () => {
    const { code, stdout, stderr } = await gantry(['down', '--delete-data'])
    if (code !== 0 && existsSync(dataDir)) throw new Error(`gantry down: exit ${code}\n${stdout}${stderr}`)
    rmSync(home, { recursive: true, force: true })
  }
  if (up.code !== 0) {
    await down().catch(() => {})
    throw new Error(`gantry up: exit ${up.code}\n${up.stdout}${up.stderr}`)
  }
  return {
    ...cli,
    kubeconfig,
    dataDir,
    said: up.stdout,
    upMs,
    gantry,
    pid: (component) => JSON.parse(readFileSync(join(dataDir, 'run', `${component}.json`), 'utf8')).pid as number,
    containerdPid: (node) =>
      Number(readFileSync(join(dataDir, 'nodes', node, 'runtime/containerd.pid'), 'utf8').split(' ')[0]),
    get: async (what) => JSON.parse((await cli.kubectl(`get ${what} -o json`)).stdout),
    down,
  }
}

export function runGantry(args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--max-semi-space-size=4', gantryPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 180_000,
      killSignal: 'SIGKILL',
    })
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
