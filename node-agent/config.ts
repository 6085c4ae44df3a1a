import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Taint } from '../api/generated/types.ts'
import { parseDuration } from '../api/machinery/duration.ts'
import { defaultThresholds, parseThresholds, type Threshold } from './eviction/thresholds.ts'
import type { RuntimeKind } from './runtime/index.ts'

/** What an operator can set. Flags carry the names of upstream's kubelet where they mean the same. */
export interface NodeAgentConfig {
  kubeconfig: string
  nodeName: string
  rootDir: string
  runtime: RuntimeKind
  /** The socket of a runtime that already runs; '': one of our own. */
  runtimeEndpoint: string
  /** '': our own. */
  sandboxImage: string
  nodeIps: string[]
  labels: Record<string, string>
  taints: Taint[]
  registerNode: boolean
  maxPods: number
  podPidsLimit: number
  clusterDns: string[]
  clusterDomain: string
  resolvConf: string
  address: string
  port: number
  tlsCertFile: string
  tlsKeyFile: string
  clientCaFile: string
  anonymousAuth: boolean
  staticPodPath: string
  /** The node's pod range where no controller gives one. */
  podCidr: string
  clusterCidr: string
  serviceCidr: string
  cniBinDir: string
  cniConfDir: string
  cgroupRoot: string
  proxy: boolean
  dns: boolean
  /** Below these the node defends itself. */
  evictionThresholds: readonly Threshold[]
  /** For how long a pressure that has passed is still told. */
  pressureHoldMs: number
  imageGcHighPercent: number
  imageGcLowPercent: number
  hollowStartMs: number
  verbosity: number
}

interface Flag {
  name: string
  type?: 'boolean'
  short?: string
  default?: string
  help: string
}

const flags: readonly Flag[] = [
  { name: 'kubeconfig', help: 'how to reach the API server' },
  { name: 'hostname-override', help: "the node's name; default: the machine's, in lower case" },
  { name: 'node-name', help: 'the same' },
  {
    name: 'root-dir',
    default: '/var/lib/gantry/node',
    help: "where pods' directories, logs and the runtime's data lie",
  },
  { name: 'data-dir', help: 'the same' },
  { name: 'runtime', default: 'containerd', help: 'containerd, process or hollow' },
  { name: 'container-runtime-endpoint', help: 'socket of a runtime that already runs; default: one of our own' },
  { name: 'pod-infra-container-image', help: 'image of the sandbox; default: one of our own' },
  { name: 'node-ip', help: 'address of the node; default: the first of this machine' },
  { name: 'node-labels', help: 'labels to register with: a=b,c=d' },
  { name: 'register-with-taints', help: 'taints to register with: key=value:effect,…' },
  { name: 'register-node', default: 'true', help: 'make the Node object' },
  { name: 'max-pods', default: '110', help: 'pods on this node at most' },
  { name: 'pod-max-pids', default: '-1', help: 'processes in a pod at most; -1: no limit' },
  { name: 'cluster-dns', default: '10.96.0.10', help: 'DNS servers of pods, comma-separated' },
  { name: 'cluster-domain', default: 'cluster.local', help: 'domain of the cluster' },
  { name: 'resolv-conf', default: '/etc/resolv.conf', help: 'the DNS settings pods inherit' },
  { name: 'address', default: '0.0.0.0', help: 'address to answer on' },
  { name: 'port', default: '10250', help: 'port to answer on; taken: any free one; 0: none' },
  { name: 'tls-cert-file', help: 'serving certificate' },
  { name: 'tls-private-key-file', help: 'its key' },
  { name: 'client-ca-file', help: 'CA of client certificates' },
  { name: 'anonymous-auth', default: 'false', help: 'answer requests without credentials' },
  { name: 'pod-manifest-path', help: 'directory of static pods, or one file' },
  { name: 'pod-cidr', help: "the node's pod range where no controller gives one" },
  { name: 'cluster-cidr', default: '10.244.0.0/16', help: 'addresses of pods' },
  { name: 'service-cluster-ip-range', default: '10.96.0.0/16', help: 'addresses of services' },
  { name: 'cni-bin-dir', default: '/usr/lib/cni', help: 'where the CNI plugins are' },
  { name: 'cni-conf-dir', help: 'CNI configuration; default: ROOT/net.d, written by the agent' },
  { name: 'cgroup-root', help: 'cgroup above kubepods' },
  { name: 'proxy', default: 'true', help: 'route service addresses on this node' },
  { name: 'dns', default: 'true', help: 'answer DNS queries on this node' },
  {
    name: 'eviction-hard',
    default: defaultThresholds,
    help: 'what has to be left, or pods are ended; what is not named is not watched',
  },
  {
    name: 'eviction-pressure-transition-period',
    default: '5m0s',
    help: 'for how long a pressure that has passed is still told',
  },
  { name: 'image-gc-high-threshold', default: '85', help: 'fullness of the disk from which images are removed…' },
  { name: 'image-gc-low-threshold', default: '80', help: '…down to which; percentages' },
  { name: 'hollow-start', default: '0', help: 'milliseconds until a hollow container runs' },
  { name: 'v', short: 'v', default: '0', help: 'log more: 4 is for developers' },
  { name: 'help', type: 'boolean', short: 'h', help: 'this text' },
]

/** Reads the flags; undefined: help was asked for. Throws an Error that says what to do for one that makes no sense. */
export function parseNodeAgentConfig(args: readonly string[]): NodeAgentConfig | undefined {
  const options = Object.fromEntries(
    flags.map(({ name, type, short }): [string, { type: 'string' | 'boolean'; short?: string }] => [
      name,
      { type: type ?? 'string', ...(short === undefined ? {} : { short }) },
    ]),
  )
  const { values } = parseArgs({ args: args.map(longForm), options, strict: true, allowPositionals: false })
  if (values.help) return undefined
  const text = (name: string): string => String(values[name] ?? flags.find((flag) => flag.name === name)?.default ?? '')
  const number = (name: string): number => {
    const value = Number(text(name))
    if (!Number.isInteger(value)) throw new Error(`--${name}: ${JSON.stringify(text(name))} is not a whole number`)
    return value
  }
  const truth = (name: string): boolean => {
    if (text(name) !== 'true' && text(name) !== 'false') throw new Error(`--${name}: say true or false`)
    return text(name) === 'true'
  }
  const rootDir = resolve(text('data-dir') || text('root-dir'))
  return {
    kubeconfig: text('kubeconfig'),
    nodeName: (text('hostname-override') || text('node-name') || hostname()).toLowerCase(),
    rootDir,
    runtime: runtimeKind(text('runtime')),
    runtimeEndpoint: text('container-runtime-endpoint'),
    sandboxImage: text('pod-infra-container-image'),
    nodeIps: listOf(text('node-ip')),
    labels: labelsOf(text('node-labels')),
    taints: listOf(text('register-with-taints')).map(taintOf),
    registerNode: truth('register-node'),
    maxPods: number('max-pods'),
    podPidsLimit: number('pod-max-pids'),
    clusterDns: listOf(text('cluster-dns')),
    clusterDomain: text('cluster-domain'),
    resolvConf: text('resolv-conf'),
    address: text('address'),
    port: number('port'),
    tlsCertFile: text('tls-cert-file'),
    tlsKeyFile: text('tls-private-key-file'),
    clientCaFile: text('client-ca-file'),
    anonymousAuth: truth('anonymous-auth'),
    staticPodPath: text('pod-manifest-path'),
    podCidr: text('pod-cidr'),
    clusterCidr: text('cluster-cidr'),
    serviceCidr: text('service-cluster-ip-range'),
    cniBinDir: text('cni-bin-dir'),
    cniConfDir: text('cni-conf-dir') || `${rootDir}/net.d`,
    cgroupRoot: text('cgroup-root').replace(/\/+$/, ''),
    proxy: truth('proxy'),
    dns: truth('dns'),
    ...evictionSettings(text),
    hollowStartMs: number('hollow-start'),
    verbosity: number('v'),
  }
}

/** `-v=4` as upstream's programs are used to it. */
const longForm = (arg: string): string => (arg.startsWith('-v=') ? `-${arg}` : arg)

/** What `--help` prints. */
export function nodeAgentHelp(): string {
  const lines = flags.map(({ name, default: value, help }) => {
    const tail = value === undefined ? '' : ` (default ${value})`
    return `  --${name.padEnd(28)} ${help}${tail}`
  })
  return `Usage: gantry node-agent [flags]\n\nRuns the pods that are bound to this node.\n\n${lines.join('\n')}\n`
}

function evictionSettings(text: (name: string) => string) {
  const named = <T>(name: string, read: (value: string) => T): T => {
    try {
      return read(text(name))
    } catch (error) {
      throw new Error(`--${name}: ${(error as Error).message}`)
    }
  }
  const percent = (value: string): number => {
    if (!/^\d{1,3}$/.test(value) || Number(value) > 100) throw new Error(`${JSON.stringify(value)} is no percentage`)
    return Number(value)
  }
  const imageGcHighPercent = named('image-gc-high-threshold', percent)
  const imageGcLowPercent = named('image-gc-low-threshold', percent)
  if (imageGcLowPercent >= imageGcHighPercent) {
    throw new Error('--image-gc-low-threshold: has to be less than --image-gc-high-threshold')
  }
  return {
    evictionThresholds: named('eviction-hard', parseThresholds),
    pressureHoldMs: named('eviction-pressure-transition-period', (value) => {
      const ms = parseDuration(value)
      if (ms === undefined || ms < 0) throw new Error(`${JSON.stringify(value)} is no duration`)
      return ms
    }),
    imageGcHighPercent,
    imageGcLowPercent,
  }
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

function runtimeKind(text: string): RuntimeKind {
  if (text === 'containerd' || text === 'process' || text === 'hollow') return text
  throw new Error(`--runtime: ${JSON.stringify(text)} is none of containerd, process, hollow`)
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    listOf(text).map((item) => {
      const at = item.indexOf('=')
      return at < 0 ? [item, ''] : [item.slice(0, at), item.slice(at + 1)]
    }),
  )
}

function taintOf(text: string): Taint {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text)
  if (!match) throw new Error(`--register-with-taints: ${JSON.stringify(text)} is not key=value:effect`)
  const [, key = '', value, effect = ''] = match
  return { key, effect, ...(value ? { value } : {}) }
}
