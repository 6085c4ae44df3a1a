import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { parse } from 'yaml'

/** The server under test, and how to reach and watch it. */
export interface Target {
  host: string
  tls: ConnectionOptions
  headers: Record<string, string>
  /** Processes whose time and memory are the server's. */
  pids: number[]
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

/** Reads a target from a kubeconfig. */
export function targetOf(kubeconfigPath: string, pids: number[]): Target {
  const config = parse(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig
  const context = config.contexts.find(({ name }) => name === config['current-context'])?.context
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster
  const user = config.users.find(({ name }) => name === context?.user)?.user ?? {}
  if (!cluster) throw new Error(`${kubeconfigPath} names no cluster`)
  const url = new URL(cluster.server)
  const pem = (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, 'base64') : file ? readFileSync(file) : undefined
  const ca = pem(cluster['certificate-authority-data'], cluster['certificate-authority'])
  const cert = pem(user['client-certificate-data'], user['client-certificate'])
  const key = pem(user['client-key-data'], user['client-key'])
  return {
    host: url.host,
    tls: {
      host: url.hostname,
      port: Number(url.port || 443),
      ...(ca ? { ca } : {}),
      ...(cert && key ? { cert, key } : {}),
    },
    headers: user.token ? { Authorization: `Bearer ${user.token}` } : {},
    pids,
  }
}

/** What the server's processes have used. */
export interface Usage {
  cpuSeconds: number
  memoryMb: number
  peakMemoryMb: number
}

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
