import { hostname } from 'node:os'
import { join } from 'node:path'
import type { CredentialsWanted } from './credentials-stamp.ts'
import { gantryCommand, programVersion } from './gantry-program.ts'
import type { Layout } from './layout.ts'
import type { ExtraComponent, RuntimeKind, Settings } from './settings.ts'
import type { ChildSpec } from './supervisor/supervisor.ts'

/** A node of the cluster, and how its agent is reached and entered. */
export interface NodePlan {
  name: string
  /** Its address; undefined: the agent finds out. */
  ip?: string
  /** Put before the agent's command: enters the node's network namespace. */
  enter: readonly string[]
}

/** Addresses by the kind of runtime: processes of this machine have only its loopback. */
export interface Ranges {
  pods: string
  services: string
  /** Of the services: where the API is, and the DNS server. */
  apiService: string
  dns: string
}

export const rangesOf = (runtime: RuntimeKind): Ranges =>
  runtime === 'process'
    ? { pods: '127.244.0.0/16', services: '127.96.0.0/16', apiService: '127.96.0.1', dns: '127.96.0.10' }
    : { pods: '10.244.0.0/16', services: '10.96.0.0/16', apiService: '10.96.0.1', dns: '10.96.0.10' }

/** The names of a cluster's nodes: this machine's, or numbers when there are several. */
export const nodeNames = (count: number): string[] =>
  count === 1 ? [hostname().toLowerCase()] : Array.from({ length: count }, (_, i) => `node-${i + 1}`)

/** Several nodes with containers live in network namespaces of their own. */
export const hasNamespaces = ({ runtime, nodes }: Settings): boolean => runtime === 'containerd' && nodes > 1

export interface ClusterPlan {
  layout: Layout
  settings: Settings
  nodes: readonly NodePlan[]
  /** Where nodes in namespaces of their own reach this machine; undefined when there are none. */
  hostIp?: string
  cniBinDir: string
  etcdProgram: string
}

/** What `gantry up` needs credentials for. */
export function credentialsFor({ settings, nodes, hostIp }: ClusterPlan): CredentialsWanted {
  const local = `https://127.0.0.1:${settings.port}`
  return {
    server: local,
    nodeServer: hostIp === undefined ? local : `https://${hostIp}:${settings.port}`,
    sans: [rangesOf(settings.runtime).apiService, ...(hostIp === undefined ? [] : [hostIp])],
    nodes: nodes.map(({ name, ip }) => ({ name, sans: ip === undefined ? ['127.0.0.1'] : [ip] })),
  }
}

/** The processes of a cluster, with their flags. */
export function componentsOf(plan: ClusterPlan): ChildSpec[] {
  const { layout, settings, nodes } = plan
  const store = settings.store === 'etcd' ? [etcd(plan)] : []
  return [
    ...store,
    program('apiserver', apiServerFlags(plan), { after: store.map(({ name }) => name), stopMs: 15_000 }),
    program('scheduler', [
      `--kubeconfig=${layout.kubeconfigOf('scheduler')}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--secure-port=${settings.schedulerPort}`,
      ...extraFlags(settings, 'scheduler'),
    ]),
    program('controller-manager', controllerManagerFlags(plan)),
    ...nodes.map((node) => nodeAgent(plan, node)),
  ]
}

function apiServerFlags({ layout, settings, hostIp }: ClusterPlan): string[] {
  const { services } = rangesOf(settings.runtime)
  const pki = (file: string) => join(layout.pki, file)
  return [
    `--data-dir=${layout.dataDir}`,
    `--secure-port=${settings.port}`,
    // Containers have a network of their own, from where the loopback of this machine cannot be reached.
    `--bind-address=${settings.runtime === 'containerd' ? '0.0.0.0' : '127.0.0.1'}`,
    `--service-cluster-ip-range=${services}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    ...(hostIp === undefined ? [] : [`--advertise-address=${hostIp}`]),
    ...(settings.store === 'etcd' ? [`--etcd-servers=http://127.0.0.1:${settings.etcdPorts[0]}`] : []),
    ...(settings.runtime === 'process' ? ['--allow-loopback-endpoints'] : []),
    ...extraFlags(settings, 'apiserver'),
  ]
}

function controllerManagerFlags({ layout, settings }: ClusterPlan): string[] {
  const { pods, services } = rangesOf(settings.runtime)
  const pki = (file: string) => join(layout.pki, file)
  return [
    `--kubeconfig=${layout.kubeconfigOf('controller-manager')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${settings.controllerManagerPort}`,
    '--allocate-node-cidrs=true',
    `--cluster-cidr=${pods}`,
    `--service-cluster-ip-range=${services}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    `--service-account-private-key-file=${pki('sa.key')}`,
    ...extraFlags(settings, 'controller-manager'),
  ]
}

/**
 * A disk that people work on is often nearly full. Upstream's thresholds are for machines that have nothing else on theirs:
 * here, only what a node cannot do without is kept free, and no image is thrown away.
 */
const diskFlags = [
  '--eviction-hard=memory.available<100Mi,nodefs.available<1Gi,nodefs.inodesFree<1%,imagefs.available<1Gi,imagefs.inodesFree<1%,pid.available<5%',
  '--image-gc-high-threshold=100',
  '--image-gc-low-threshold=99',
]

function nodeAgent({ layout, settings, cniBinDir }: ClusterPlan, { name, ip, enter }: NodePlan): ChildSpec {
  const { pods, services, dns } = rangesOf(settings.runtime)
  const pki = (file: string) => join(layout.pki, file)
  const flags = [
    `--kubeconfig=${layout.kubeconfigOf(name)}`,
    `--hostname-override=${name}`,
    `--root-dir=${layout.node(name)}`,
    `--runtime=${settings.runtime}`,
    ...(ip === undefined ? [] : [`--node-ip=${ip}`]),
    `--client-ca-file=${pki('ca.crt')}`,
    `--tls-cert-file=${pki(`${name}-serving.crt`)}`,
    `--tls-private-key-file=${pki(`${name}-serving.key`)}`,
    `--cluster-cidr=${pods}`,
    `--service-cluster-ip-range=${services}`,
    `--cluster-dns=${dns}`,
    `--cni-bin-dir=${cniBinDir}`,
    ...diskFlags,
    ...extraFlags(settings, 'node-agent'),
  ]
  const { command, ...rest } = program('node-agent', flags, { stopMs: 30_000 })
  // Its runtime takes as long to start as the API does.
  return { ...rest, name: `agent-${name}`, waits: true, command: [...enter, ...command] as [string, ...string[]] }
}

/** What the operator adds; of two flags of one name the last counts. */
const extraFlags = ({ extraConfig = {} }: Settings, component: ExtraComponent): string[] =>
  Object.entries(extraConfig[component] ?? {}).map(([flag, value]) => `--${flag}=${value}`)

function etcd({ layout, settings, etcdProgram }: ClusterPlan): ChildSpec {
  const [client, peer] = settings.etcdPorts.map((port) => `http://127.0.0.1:${port}`) as [string, string]
  return {
    name: 'etcd',
    command: [
      etcdProgram,
      '--name=gantry',
      `--data-dir=${layout.etcd}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=gantry=${peer}`,
    ],
    after: [],
    ready: { url: `${client}/health` },
    stopMs: 10_000,
    version: '',
  }
}

function program(name: string, flags: readonly string[], more: Partial<ChildSpec> = {}): ChildSpec {
  return {
    name,
    command: gantryCommand(name, flags),
    after: ['apiserver'],
    ready: 'announce',
    stopMs: 10_000,
    version: programVersion(name),
    ...more,
  }
}
