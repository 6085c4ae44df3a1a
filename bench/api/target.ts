import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { parse } from 'yaml'

/** The server under test, and how to reach and watch it. */
export interface Target {
  host: string
  tls: ConnectionOptions
  headers: Record<string, string>
  /** Processes whose time and memory are the server's. */
  pids: readonly number[]
}

export interface TargetFlags {
  kubeconfig: string
  server: string
  token: string
  ca: string
  cert: string
  key: string
  /** Comma-separated. */
  pid: string
}

interface Kubeconfig {
  'current-context': string
  contexts: { name: string; context: { cluster: string; user: string } }[]
  clusters: {
    name: string
    cluster: { server: string; 'certificate-authority-data'?: string; 'certificate-authority'?: string }
  }[]
  users: { name: string; user: Record<string, string> }[]
}

interface Access {
  server: string
  ca?: Buffer | undefined
  cert?: Buffer | undefined
  key?: Buffer | undefined
  token?: string | undefined
}

/** Reads a target from the flags: a kubeconfig, or an address and credentials in files. Throws an Error that says what lacks. */
export function targetOf(flags: TargetFlags): Target {
  const { server, ca, cert, key, token } = flags.server !== '' ? fromFlags(flags) : fromKubeconfig(flags.kubeconfig)
  const url = new URL(server)
  return {
    host: url.host,
    tls: {
      host: url.hostname,
      port: Number(url.port || 443),
      ...(ca ? { ca } : {}),
      ...(cert && key ? { cert, key } : {}),
      ALPNProtocols: ['http/1.1'],
    },
    headers: token ? { Authorization: `Bearer ${token}` } : {},
    pids: flags.pid === '' ? [] : flags.pid.split(',').map(Number),
  }
}

function fromFlags({ server, token, ca, cert, key }: TargetFlags): Access {
  const file = (path: string) => (path === '' ? undefined : readFileSync(path))
  return { server, token, ca: file(ca), cert: file(cert), key: file(key) }
}

function fromKubeconfig(path: string): Access {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig
  const context = config.contexts.find(({ name }) => name === config['current-context'])?.context
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster
  const user = config.users.find(({ name }) => name === context?.user)?.user ?? {}
  if (!cluster) throw new Error(`${path} names no cluster`)
  const pem = (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, 'base64') : file ? readFileSync(file) : undefined
  return {
    server: cluster.server,
    ca: pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: pem(user['client-certificate-data'], user['client-certificate']),
    key: pem(user['client-key-data'], user['client-key']),
    token: user.token,
  }
}

/** What processes have used. */
export interface Usage {
  cpuSeconds: number
  memoryMb: number
  peakMemoryMb: number
}

/** The sum over the processes; Linux only. */
export function usageOf(pids: readonly number[]): Usage {
  const usage = { cpuSeconds: 0, memoryMb: 0, peakMemoryMb: 0 }
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    // Clock ticks: a hundred a second on every Linux there is.
    usage.cpuSeconds += (Number(fields[11]) + Number(fields[12])) / 100
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    usage.memoryMb += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
    usage.peakMemoryMb += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  }
  return usage
}
