import { parseArgs } from 'node:util'
import type { AuthorityFiles, ControllerOptions } from './types.ts'

/** What an operator can set of the manager itself. Flags carry upstream's names. */
export interface ManagerConfig {
  kubeconfig: string
  bindAddress: string
  /** 0: no health and metrics server. */
  securePort: number
  leaderElect: boolean
  leaseDurationMs: number
  renewDeadlineMs: number
  retryPeriodMs: number
  leaseName: string
  leaseNamespace: string
  /** Each controller is a service account of its own. */
  useServiceAccountCredentials: boolean
  /** `*`, names, and `-name`: which controllers run. */
  controllers: readonly string[]
  verbosity: number
  options: Omit<ControllerOptions, 'apiServerCa'>
}

type Kind = 'text' | 'list' | 'bool' | 'number' | 'fraction' | 'duration'
interface Flag {
  kind: Kind
  default: string
  help: string
}

const flags = {
  kubeconfig: { kind: 'text', default: '', help: 'how to reach the API server; default: $KUBECONFIG or in-cluster' },
  'bind-address': { kind: 'text', default: '127.0.0.1', help: 'address of /healthz and /metrics' },
  'secure-port': { kind: 'number', default: '10257', help: 'port of /healthz and /metrics; 0 serves neither' },
  controllers: { kind: 'list', default: '*', help: 'controllers to run: * for the default ones, name, -name' },
  'leader-elect': { kind: 'bool', default: 'true', help: 'run the controllers only while holding the lease' },
  'leader-elect-lease-duration': { kind: 'duration', default: '15s', help: 'after which others take over' },
  'leader-elect-renew-deadline': { kind: 'duration', default: '10s', help: 'after which the leader gives up' },
  'leader-elect-retry-period': { kind: 'duration', default: '2s', help: 'between two tries' },
  'leader-elect-resource-name': { kind: 'text', default: 'kube-controller-manager', help: 'name of the lease' },
  'leader-elect-resource-namespace': { kind: 'text', default: 'kube-system', help: 'namespace of the lease' },
  'use-service-account-credentials': {
    kind: 'bool',
    default: 'false',
    help: 'let each controller be a service account of kube-system, with the rights of that one',
  },
  'cluster-name': { kind: 'text', default: 'kubernetes', help: 'name of the cluster' },
  'cluster-cidr': { kind: 'list', default: '', help: 'addresses of pods' },
  'allocate-node-cidrs': { kind: 'bool', default: 'false', help: 'give each node a part of --cluster-cidr' },
  'node-cidr-mask-size': { kind: 'number', default: '0', help: 'size of that part; 0: 24 for IPv4, 64 for IPv6' },
  'node-cidr-mask-size-ipv4': { kind: 'number', default: '24', help: 'the same for IPv4' },
  'node-cidr-mask-size-ipv6': { kind: 'number', default: '64', help: 'the same for IPv6' },
  'service-cluster-ip-range': { kind: 'text', default: '', help: 'addresses of services, which no node gets' },
  'node-monitor-period': { kind: 'duration', default: '5s', help: 'between two looks at the nodes' },
  'node-monitor-grace-period': { kind: 'duration', default: '40s', help: 'of silence before a node is not ready' },
  'node-startup-grace-period': { kind: 'duration', default: '1m', help: 'the same for a node that is new' },
  'node-eviction-rate': { kind: 'fraction', default: '0.1', help: 'nodes a second that are emptied' },
  'secondary-node-eviction-rate': { kind: 'fraction', default: '0.01', help: 'the same in an unhealthy zone' },
  'unhealthy-zone-threshold': { kind: 'fraction', default: '0.55', help: 'part of nodes that makes a zone unhealthy' },
  'large-cluster-size-threshold': { kind: 'number', default: '50', help: 'nodes above which a zone is large' },
  'terminated-pod-gc-threshold': { kind: 'number', default: '12500', help: 'ended pods that are kept; 0: all' },
  'root-ca-file': { kind: 'text', default: '', help: 'CA given to pods; default: that of the kubeconfig' },
  'enable-garbage-collector': { kind: 'bool', default: 'true', help: 'delete what has lost its owner' },
  'horizontal-pod-autoscaler-sync-period': { kind: 'duration', default: '15s', help: 'between two looks at each' },
  'horizontal-pod-autoscaler-tolerance': { kind: 'fraction', default: '0.1', help: 'difference that changes nothing' },
  'horizontal-pod-autoscaler-downscale-stabilization': {
    kind: 'duration',
    default: '5m',
    help: 'that no recommendation may be higher in, before pods are taken away',
  },
  'horizontal-pod-autoscaler-cpu-initialization-period': {
    kind: 'duration',
    default: '5m',
    help: 'after the start of a pod, when its CPU counts only while it is ready',
  },
  'horizontal-pod-autoscaler-initial-readiness-delay': {
    kind: 'duration',
    default: '30s',
    help: 'after the start of a pod, when becoming unready counts as never having been ready',
  },
  'cluster-signing-cert-file': { kind: 'text', default: '', help: 'CA that signs for all signers' },
  'cluster-signing-key-file': { kind: 'text', default: '', help: 'its key' },
  'cluster-signing-duration': { kind: 'duration', default: '8760h', help: 'certificates are signed for, at most' },
  'cluster-signing-kubelet-serving-cert-file': { kind: 'text', default: '', help: 'CA of servers on nodes alone' },
  'cluster-signing-kubelet-serving-key-file': { kind: 'text', default: '', help: 'its key' },
  'cluster-signing-kubelet-client-cert-file': { kind: 'text', default: '', help: 'CA of nodes as clients alone' },
  'cluster-signing-kubelet-client-key-file': { kind: 'text', default: '', help: 'its key' },
  'cluster-signing-kube-apiserver-client-cert-file': { kind: 'text', default: '', help: 'CA of other clients alone' },
  'cluster-signing-kube-apiserver-client-key-file': { kind: 'text', default: '', help: 'its key' },
  'cluster-signing-legacy-unknown-cert-file': { kind: 'text', default: '', help: 'CA of all else alone' },
  'cluster-signing-legacy-unknown-key-file': { kind: 'text', default: '', help: 'its key' },
  'service-account-private-key-file': { kind: 'text', default: '', help: 'key of tokens that are kept in secrets' },
  'legacy-service-account-token-clean-up-period': {
    kind: 'duration',
    default: '8760h',
    help: 'without use before such a token is taken away',
  },
  'mirroring-concurrent-service-endpoint-syncs': { kind: 'number', default: '5', help: 'endpoints mirrored at once' },
  'mirroring-max-endpoints-per-subset': { kind: 'number', default: '1000', help: 'addresses mirrored of each subset' },
  'pvclaimbinder-sync-period': {
    kind: 'duration',
    default: '15s',
    help: 'between two looks at a claim without a volume',
  },
  'resource-quota-sync-period': { kind: 'duration', default: '5m', help: 'between two full counts of each quota' },
  v: { kind: 'number', default: '2', help: 'detail of the log: 4 and more tell a developer’s story' },
} satisfies Record<string, Flag>

/** `--concurrent-WORD-syncs` and how many there are by default: upstream's numbers. */
const concurrency: Readonly<Record<string, number>> = {
  'cron-job': 5,
  daemonset: 2,
  deployment: 5,
  endpoint: 5,
  'ephemeral-volume': 5,
  gc: 20,
  'horizontal-pod-autoscaler': 5,
  job: 5,
  namespace: 10,
  rc: 5,
  replicaset: 5,
  resourceclaim: 50,
  'resource-quota': 5,
  'service-endpoint': 5,
  'serviceaccount-token': 5,
  statefulset: 5,
  'ttl-after-finished': 5,
}

type Name = keyof typeof flags

/** Reads the flags. Throws an Error that says what to do for one that makes no sense. */
export function parseConfig(args: readonly string[]): ManagerConfig {
  const values = readFlags(args)
  const text = (name: Name) => values[name] ?? flags[name].default
  const list = (name: Name) =>
    text(name)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  const bool = (name: Name) => parseBool(name, text(name))
  const number = (name: Name) => parseNumber(name, text(name))
  const ms = (name: Name) => parseDuration(name, text(name))
  const maskSize = number('node-cidr-mask-size')
  return {
    kubeconfig: text('kubeconfig'),
    bindAddress: text('bind-address'),
    securePort: number('secure-port'),
    leaderElect: bool('leader-elect'),
    leaseDurationMs: ms('leader-elect-lease-duration'),
    renewDeadlineMs: ms('leader-elect-renew-deadline'),
    retryPeriodMs: ms('leader-elect-retry-period'),
    leaseName: text('leader-elect-resource-name'),
    leaseNamespace: text('leader-elect-resource-namespace'),
    useServiceAccountCredentials: bool('use-service-account-credentials'),
    controllers: list('controllers'),
    verbosity: number('v'),
    options: {
      clusterName: text('cluster-name'),
      clusterCidrs: list('cluster-cidr'),
      allocateNodeCidrs: bool('allocate-node-cidrs'),
      nodeCidrMaskSizeIpv4: maskSize || number('node-cidr-mask-size-ipv4'),
      nodeCidrMaskSizeIpv6: maskSize || number('node-cidr-mask-size-ipv6'),
      serviceClusterIpRange: text('service-cluster-ip-range'),
      nodeMonitorPeriodMs: ms('node-monitor-period'),
      nodeMonitorGracePeriodMs: ms('node-monitor-grace-period'),
      nodeStartupGracePeriodMs: ms('node-startup-grace-period'),
      nodeEvictionRate: parseFraction('node-eviction-rate', text('node-eviction-rate')),
      secondaryNodeEvictionRate: parseFraction('secondary-node-eviction-rate', text('secondary-node-eviction-rate')),
      unhealthyZoneThreshold: parseFraction('unhealthy-zone-threshold', text('unhealthy-zone-threshold')),
      largeClusterSizeThreshold: number('large-cluster-size-threshold'),
      terminatedPodGcThreshold: number('terminated-pod-gc-threshold'),
      rootCaFile: text('root-ca-file'),
      enableGarbageCollector: bool('enable-garbage-collector'),
      hpa: {
        syncPeriodMs: ms('horizontal-pod-autoscaler-sync-period'),
        tolerance: parseFraction('horizontal-pod-autoscaler-tolerance', text('horizontal-pod-autoscaler-tolerance')),
        downscaleStabilizationMs: ms('horizontal-pod-autoscaler-downscale-stabilization'),
        cpuInitializationPeriodMs: ms('horizontal-pod-autoscaler-cpu-initialization-period'),
        initialReadinessDelayMs: ms('horizontal-pod-autoscaler-initial-readiness-delay'),
      },
      claimBinderSyncPeriodMs: ms('pvclaimbinder-sync-period'),
      resourceQuotaSyncPeriodMs: ms('resource-quota-sync-period'),
      clusterSigning: {
        authorities: signingAuthorities((name) => text(name as Name)),
        durationSeconds: ms('cluster-signing-duration') / 1000,
      },
      serviceAccountPrivateKeyFile: text('service-account-private-key-file'),
      legacyTokenCleanUpPeriodMs: ms('legacy-service-account-token-clean-up-period'),
      mirroringMaxEndpointsPerSubset: number('mirroring-max-endpoints-per-subset'),
      workers: Object.fromEntries(
        Object.entries(concurrency).map(([word, workers]) => {
          const name = `concurrent-${word}-syncs`
          return [word, Math.max(1, parseNumber(name, values[name] ?? String(workers)))]
        }),
      ),
      mirroringWorkers: Math.max(1, number('mirroring-concurrent-service-endpoint-syncs')),
    },
  }
}

/** What `--help` prints. */
export function configHelp(): string {
  const rows = [
    ...Object.entries(flags).map(([name, flag]) => [name, flag.help, flag.default] as const),
    ...Object.entries(concurrency).map(
      ([word, workers]) => [`concurrent-${word}-syncs`, `${word} objects worked on at once`, String(workers)] as const,
    ),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, help, standard]) => {
    const note = standard === '' ? '' : ` (default ${standard})`
    return `  --${name.padEnd(width)}  ${help}${note}`
  })
  return `Usage: gantry controller-manager [flags]\n\n${lines.join('\n')}\n`
}

/** Signers by the word their own flags have. */
const signerWords: Readonly<Record<string, string>> = {
  'kubelet-serving': 'kubernetes.io/kubelet-serving',
  'kubelet-client': 'kubernetes.io/kube-apiserver-client-kubelet',
  'kube-apiserver-client': 'kubernetes.io/kube-apiserver-client',
  'legacy-unknown': 'kubernetes.io/legacy-unknown',
}

/** One authority for all signers, or one for each that has one. Both makes no sense, and neither does half of one. */
function signingAuthorities(text: (flag: string) => string): Record<string, AuthorityFiles> {
  const authorityOf = (prefix: string): AuthorityFiles | undefined => {
    const [certFile, keyFile] = [text(`${prefix}-cert-file`), text(`${prefix}-key-file`)]
    if ((certFile === '') !== (keyFile === ''))
      throw new Error(`--${prefix}-cert-file and --${prefix}-key-file: give both or neither`)
    return certFile === '' ? undefined : { certFile, keyFile }
  }
  const all = authorityOf('cluster-signing')
  const authorities: Record<string, AuthorityFiles> = {}
  for (const [word, signer] of Object.entries(signerWords)) {
    const own = authorityOf(`cluster-signing-${word}`)
    if (own && all)
      throw new Error('--cluster-signing-cert-file and others for single signers: give one or the others, not both')
    const authority = own ?? all
    if (authority) authorities[signer] = authority
  }
  return authorities
}

function readFlags(args: readonly string[]): Record<string, string | undefined> {
  const names = [...Object.keys(flags), ...Object.keys(concurrency).map((word) => `concurrent-${word}-syncs`)]
  const bools = new Set(Object.entries(flags).flatMap(([name, { kind }]) => (kind === 'bool' ? [`--${name}`] : [])))
  // A switch may stand alone, or with its value behind an equals sign.
  const spelled = args.map((arg) => (bools.has(arg) ? `${arg}=true` : arg))
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' } as const]))
  return parseArgs({ args: spelled, options, strict: true, allowPositionals: false }).values
}

function parseBool(name: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error(`--${name}: say true or false, not ${JSON.stringify(text)}`)
  return text === 'true'
}

function parseNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${name}: ${JSON.stringify(text)} is not a whole number from 0`)
  return Number(text)
}

function parseFraction(name: string, text: string): number {
  const value = Number(text)
  if (text === '' || !(value >= 0)) throw new Error(`--${name}: ${JSON.stringify(text)} is not a number from 0`)
  return value
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `1h5m0s`, `300ms`. */
function parseDuration(name: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new Error(`--${name}: ${JSON.stringify(text)} is not a duration such as 40s or 5m`)
  }
  return parts.reduce((total, [, amount, unit]) => total + Number(amount) * (units[unit as string] as number), 0)
}
