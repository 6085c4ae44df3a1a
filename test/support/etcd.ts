import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EtcdCertificates, issueEtcdCertificates } from './etcd-certificates.ts'

export interface EtcdCluster {
  /** Client URLs, one a member. */
  endpoints: string[]
  /** Certificates for clients, with tls. */
  tls: EtcdCertificates | undefined
  /** Freezes a member: its connections stay open and silent. */
  pause(member: number): void
  resume(member: number): void
  /** Ends a member at once. */
  kill(member: number): Promise<void>
  /** Starts a killed member again, on its data. */
  start(member: number): Promise<void>
  /** Ends all members and removes their data. */
  stop(): Promise<void>
}

export interface EtcdClusterOptions {
  members?: number
  tls?: boolean
  /** More flags for every member. */
  args?: string[]
}

const readyMs = 20_000

/** Starts etcd on free ports with data in a temporary directory, and waits until it serves. Throws when there is none. */
export async function startEtcd(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-etcd-'))
  const count = options.members ?? 1
  const ports = await freePorts(count * 2)
  const scheme = options.tls ? 'https' : 'http'
  const tls = options.tls ? await issueEtcdCertificates(directory) : undefined
  const members = Array.from({ length: count }, (_, i) => ({
    name: `m${i}`,
    client: `${scheme}://127.0.0.1:${ports[i * 2]}`,
    peer: `http://127.0.0.1:${ports[i * 2 + 1]}`,
  }))
  const initial = members.map(({ name, peer }) => `${name}=${peer}`).join(',')
  const processes: (ChildProcess | undefined)[] = []

  const launch = (i: number) => {
    const { name, client, peer } = members[i]!
    const args = ['--name', name, '--data-dir', join(directory, name), '--logger', 'zap', '--log-level', 'error']
    args.push('--listen-client-urls', client, '--advertise-client-urls', client)
    args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', initial)
    if (tls) {
      args.push('--client-cert-auth', '--trusted-ca-file', tls.files.ca)
      args.push('--cert-file', tls.files.cert, '--key-file', tls.files.key)
    }
    const child = spawn('etcd', [...args, ...(options.args ?? [])], { stdio: ['ignore', 'ignore', 'pipe'] })
    const log: string[] = []
    child.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString()))
    processes[i] = child
    return ready(child, client, tls, log)
  }
  const end = async (i: number) => {
    const child = processes[i]
    processes[i] = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  const cluster: EtcdCluster = {
    endpoints: members.map((member) => member.client),
    tls,
    pause: (i) => void processes[i]?.kill('SIGSTOP'),
    resume: (i) => void processes[i]?.kill('SIGCONT'),
    kill: end,
    start: launch,
    async stop() {
      await Promise.all(members.map((_, i) => end(i)))
      rmSync(directory, { recursive: true, force: true })
    },
  }
  try {
    await Promise.all(members.map((_, i) => launch(i)))
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}

async function ready(
  child: ChildProcess,
  client: string,
  tls: EtcdCertificates | undefined,
  log: readonly string[],
): Promise<void> {
  let failure: Error | undefined
  child.once('error', (error) => {
    failure = new Error(`etcd cannot be started: ${error.message}; these tests need it installed`)
  })
  child.once('exit', (code) => {
    failure ??= new Error(`etcd ended with ${code}: ${log.join('').slice(-1000)}`)
  })
  const deadline = Date.now() + readyMs
  while (!(await isHealthy(client, tls))) {
    if (failure) throw failure
    if (Date.now() > deadline) throw new Error(`etcd is not ready after ${readyMs} ms: ${log.join('').slice(-1000)}`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

function isHealthy(client: string, tls: EtcdCertificates | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const url = `${client}/health`
    const options = tls ? { agent: new Agent({ ca: tls.ca, cert: tls.cert, key: tls.key }) } : {}
    const request = (tls ? httpsRequest : httpRequest)(url, { ...options, timeout: 1000 }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve(/"health":\s*"true"/.test(body)))
    })
    request.on('error', () => resolve(false))
    request.on('timeout', () => request.destroy())
    request.end()
  })
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  return Promise.all(
    servers.map((server) => {
      const address = server.address()
      return new Promise<number>((resolve) =>
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0)),
      )
    }),
  )
}
