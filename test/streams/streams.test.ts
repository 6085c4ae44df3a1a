import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issueServingCertificate } from '../../api/certificates/issue.ts'
import { importImage } from '../../node-agent/runtime/containerd/import.ts'
import { openStore } from '../../node-agent/runtime/containerd/store.ts'
import { openRuntime, type Runtime, type RuntimeKind } from '../../node-agent/runtime/index.ts'
import { DirectoryImages } from '../../node-agent/runtime/process/images.ts'
import { busyboxImage, busyboxPath, silent } from '../../node-agent/runtime/testing.ts'
import { nodeAuthorizer } from '../../node-agent/server/authorize.ts'
import { type KubeletServer, type PodView, startKubeletServer } from '../../node-agent/server/server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { stockClients } from '../support/stock-clients.ts'
import { until } from '../support/until.ts'

const image = 'localhost/test/busybox:1'
const isRoot = process.getuid?.() === 0
const kinds: RuntimeKind[] = isRoot && existsSync('/usr/bin/containerd') ? ['process', 'containerd'] : ['process']

describe.runIf(existsSync(busyboxPath)).each(kinds)('streams of a pod on the %s runtime', (kind) => {
  let server: TestServer
  let runtime: Runtime
  let agent: KubeletServer
  let directory: string
  let sandboxId = ''
  let sandboxIp = ''
  let containerId = ''
  const children: { kill(signal: NodeJS.Signals): unknown }[] = []

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-streams-'))
    ;[server, runtime] = await Promise.all([startServer(), openOne(kind, directory)])
    agent = await serve()
    await server.kubectl(['create', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }),
    })
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
    }
    await server.kubectl([
      'patch',
      'node',
      'n1',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ])
    const spec = {
      nodeName: 'n1',
      automountServiceAccountToken: false,
      containers: [{ name: 'app', image, tty: false, stdin: true }],
    }
    await until(
      async () =>
        (await server.kubectl(['get', 'serviceaccount', 'default'], { codes: [1] })).code === 0 || createAccount(),
    )
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }
    await server.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod) })
    const uid = (await server.kubectl(['get', 'pod', 'web', '-o', 'jsonpath={.metadata.uid}'])).stdout
    await runPod(uid)
    const running = {
      status: {
        phase: 'Running',
        podIP: sandboxIp,
        containerStatuses: [
          {
            name: 'app',
            image,
            imageID: '',
            ready: true,
            restartCount: 0,
            containerID: `${kind}://${containerId}`,
            state: { running: {} },
          },
        ],
      },
    }
    await server.kubectl(['patch', 'pod', 'web', '--subresource=status', '--type=merge', '-p', JSON.stringify(running)])
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await agent?.stop()
    if (sandboxId !== '') {
      await runtime.cri.stopPodSandbox(sandboxId)
      await runtime.cri.removePodSandbox(sandboxId)
    }
    await runtime?.stop()
    await server?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const createAccount = async () => {
    await server.kubectl(['create', 'serviceaccount', 'default'], { codes: [1] })
    return true
  }
  const runPod = async (uid: string) => {
    const labels = {
      'io.kubernetes.pod.uid': uid,
      'io.kubernetes.pod.name': 'web',
      'io.kubernetes.pod.namespace': 'default',
    }
    const sandbox = {
      metadata: { name: 'web', namespace: 'default', uid, attempt: 0 },
      hostname: 'web',
      logDirectory: join(directory, 'logs'),
      labels,
      linux: { securityContext: { namespaceOptions: { pid: 'CONTAINER' as const } } },
    }
    sandboxId = await runtime.cri.runPodSandbox({ config: sandbox })
    sandboxIp = (await runtime.cri.podSandboxStatus(sandboxId)).status.network?.ip ?? ''
    const script = `
      nc -ll -p 18080 -e cat &
      echo started; i=0
      while read line; do echo "heard $line"; done
      while :; do i=$((i+1)); echo "line $i"; sleep 0.2; done`
    containerId = await runtime.cri.createContainer({
      podSandboxId: sandboxId,
      sandboxConfig: sandbox,
      config: {
        metadata: { name: 'app', attempt: 0 },
        image: { image },
        command: ['sh', '-c', script],
        labels: { ...labels, 'io.kubernetes.container.name': 'app' },
        logPath: 'app/0.log',
        stdin: true,
        stdinOnce: true,
        linux: { securityContext: { namespaceOptions: { pid: 'CONTAINER' } } },
      },
    })
    await runtime.cri.startContainer(containerId)
  }
  const serve = async () => {
    const read = (name: string) => readFileSync(join(server.directory, 'data/pki', name), 'utf8')
    const ca = { certPem: read('ca.crt'), keyPem: read('ca.key') }
    const own = await issueServingCertificate(ca, {
      commonName: 'system:node:n1',
      sans: ['127.0.0.1', 'n1'],
      days: 1,
      nowMs: Date.now(),
    })
    const pods: PodView = {
      list: () => [],
      find: (namespace, name) =>
        namespace === 'default' && name === 'web'
          ? ({ metadata: { name, namespace, uid: podUid() }, spec: { containers: [{ name: 'app' }] } } as never)
          : undefined,
      containerId: (_namespace, _name, container, { previous }) =>
        container === 'app' && !previous ? `${kind}://${containerId}` : undefined,
    }
    return startKubeletServer({
      volumes: { usage: async () => [], pathOf: async () => undefined },
      address: '127.0.0.1',
      port: 0,
      tls: { cert: own.certPem, key: own.keyPem, clientCa: ca.certPem },
      authorize: nodeAuthorizer('n1', async () => false),
      pods,
      runtime,
      log: silent,
      stats: { nodeName: 'n1', startMs: Date.now(), metrics: async () => 'up 1\n' },
      keptLogs: { list: async () => [], file: async () => undefined },
    })
  }
  let uid = ''
  const podUid = () => uid
  beforeAll(async () => {
    uid = (await server.kubectl(['get', 'pod', 'web', '-o', 'jsonpath={.metadata.uid}'])).stdout
  })

  const kubectl = (...args: string[]) => server.kubectl(args)
  /** Runs kubectl with its output in hand while it runs. */
  const follow = (args: string[], terminal = false) => {
    const line = [stockClients().kubectl, `--kubeconfig=${server.kubeconfig}`, ...args]
    const child = terminal
      ? spawn('script', ['--quiet', '--return', '--command', line.join(' '), '/dev/null'])
      : spawn(line[0]!, line.slice(1))
    children.push(child)
    // Who has ended hears nothing more; what it said is what the tests look at.
    child.stdin.on('error', () => {})
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk
    })
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { child, ended, text: () => text }
  }

  it('gives the log so far, with tail, time and limit', async () => {
    await until(async () => (await kubectl('logs', 'web')).stdout.startsWith('started\n'))
    expect((await kubectl('logs', 'web', '--timestamps', '--tail=1')).stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+ started\n$/)
    expect((await kubectl('logs', 'web', '--limit-bytes=3')).stdout).toBe('sta')
    expect((await kubectl('logs', 'web', '--tail=0')).stdout).toBe('')
    expect((await kubectl('logs', 'web', '--since-time=2100-01-01T00:00:00Z')).stdout).toBe('')
  })

  it('attaches to the container and follows its log', async () => {
    const following = follow(['logs', '-f', 'web'])
    const attached = follow(['attach', '-i', 'web'])
    // Output from before the attachment is not shown: said again until the attachment stands.
    const isHeard = async () => {
      attached.child.stdin.write('hello\n')
      return attached.text().includes('heard hello') && following.text().includes('heard hello')
    }
    await until(isHeard).catch((error) => {
      throw new Error(`attached: ${attached.text()}\nfollowing: ${following.text().slice(-500)}`, { cause: error })
    })
    attached.child.kill('SIGKILL')
    following.child.kill('SIGKILL')
  })

  it('says why there is no log', async () => {
    const run = await server.kubectl(['logs', 'web', '--previous'], { expectFailure: true })
    expect(run.stderr).toContain('previous terminated container "app" in pod "web" not found')
  })

  it('runs a command, with its input, both its outputs and its exit code', async () => {
    const run = await server.kubectl(['exec', '-i', 'web', '--', 'sh', '-c', 'cat; echo bad >&2; exit 3'], {
      input: 'in and out',
      codes: [3],
    })
    expect(run.code).toBe(3)
    expect(run.stdout).toBe('in and out')
    expect(run.stderr).toContain('bad')
  })

  it('says that a command is not there', async () => {
    const run = await server.kubectl(['exec', 'web', '--', 'nope'], { expectFailure: true })
    expect(run.stderr).toContain('executable file not found in $PATH')
  })

  it.runIf(existsSync('/usr/bin/script'))('runs a command under a terminal', async () => {
    const shell = follow(['exec', '-it', 'web', '--', 'sh'], true)
    // A shell that shows its prompt is listening: what is typed earlier can be lost with the change to raw mode.
    await until(async () => /[#$] /.test(shell.text()))
    shell.child.stdin.write('echo $((40+2)); exit 5\n')
    await until(async () => shell.text().includes('42'))
    expect(await shell.ended).toBe(5)
  })

  it.each(['websocket', 'spdy'])('copies large files in and out over %s', async (protocol) => {
    const local = join(directory, 'file')
    const content = Buffer.alloc(20 * 1024 * 1024, 'gantry ')
    writeFileSync(local, content)
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(protocol === 'websocket') }
    await server.kubectl(['cp', local, 'web:tmp/file'], { env, cwd: directory })
    await server.kubectl(['cp', 'web:tmp/file', join(directory, 'back')], { env, cwd: directory })
    expect(readFileSync(join(directory, 'back')).equals(content)).toBe(true)
  })

  it.each(['websocket', 'spdy'])('forwards a port over %s', async (protocol) => {
    const env = { ...process.env, KUBECTL_PORT_FORWARD_WEBSOCKETS: String(protocol === 'websocket') }
    const child = spawn(
      stockClients().kubectl,
      [`--kubeconfig=${server.kubeconfig}`, 'port-forward', 'pod/web', ':18080'],
      {
        env,
      },
    )
    children.push(child)
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk
    })
    await until(async () => said.includes('Forwarding from 127.0.0.1:'))
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(said)?.[1])
    for (const text of ['one', 'two']) expect(await echo(port, text)).toBe(text)
    child.kill('SIGKILL')
  })

  it('lets nobody in without a certificate', async () => {
    const code = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: agent.port, path: '/pods', rejectUnauthorized: false }
      request(options, (answer) => resolve(answer.statusCode))
        .once('error', reject)
        .end()
    })
    expect(code).toBe(401)
  })

  it('tells what is used, to those who may ask through the API server', async () => {
    const { stdout } = await kubectl('get', '--raw', '/api/v1/nodes/n1/proxy/stats/summary')
    const summary = JSON.parse(stdout) as { node: { nodeName: string; memory: { workingSetBytes: number } } }
    expect(summary.node.nodeName).toBe('n1')
    expect(summary.node.memory.workingSetBytes).toBeGreaterThan(0)
    const metrics = await kubectl('get', '--raw', '/api/v1/nodes/n1/proxy/metrics/resource')
    expect(metrics.stdout).toMatch(
      /^container_memory_working_set_bytes\{container="app",namespace="default",pod="web"\} \d+ \d+$/m,
    )
  })
})

const echo = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(text))
    socket.once('data', (chunk) => {
      resolve(chunk.toString())
      socket.destroy()
    })
    socket.once('error', reject)
    setTimeout(() => reject(new Error('nothing came back')), 10_000).unref()
  })

async function openOne(kind: RuntimeKind, directory: string): Promise<Runtime> {
  const dataDir = join(directory, 'runtime')
  const cniConfDir = join(directory, 'net.d')
  mkdirSync(cniConfDir)
  const ipam = { type: 'host-local', dataDir: join(directory, 'cni'), ranges: [[{ subnet: '10.213.78.0/24' }]] }
  const network = { cniVersion: '1.0.0', name: 'test', plugins: [{ type: 'ptp', ipam }] }
  writeFileSync(join(cniConfDir, '10-test.conflist'), JSON.stringify(network))
  const busybox = await busyboxImage(image)
  if (kind === 'process') await new DirectoryImages(join(dataDir, 'images')).load(busybox)
  const signal = new AbortController().signal
  const runtime = await openRuntime({
    kind,
    dataDir,
    nodeName: 'n1',
    cniConfDir,
    cniBinDir: '/usr/lib/cni',
    signal,
    log: silent,
  })
  if (kind === 'containerd') {
    const store = openStore(runtime.endpoint)
    await importImage(store, busybox)
    store.close()
  }
  return runtime
}
