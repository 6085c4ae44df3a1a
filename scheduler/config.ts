import { parseArgs } from 'node:util'

/** What an operator can set. Flags carry upstream's names. */
export interface SchedulerConfig {
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
  maxUnschedulableMs: number
  verbosity: number
}

interface Flag {
  kind: 'text' | 'bool' | 'number' | 'duration'
  default: string
  help: string
}

const flags = {
  kubeconfig: { kind: 'text', default: '', help: 'how to reach the API server; default: $KUBECONFIG or in-cluster' },
  'bind-address': { kind: 'text', default: '127.0.0.1', help: 'address of /healthz and /metrics' },
  'secure-port': { kind: 'number', default: '10259', help: 'port of /healthz and /metrics; 0 serves neither' },
  'leader-elect': { kind: 'bool', default: 'true', help: 'schedule only while holding the lease' },
  'leader-elect-lease-duration': { kind: 'duration', default: '15s', help: 'after which others take over' },
  'leader-elect-renew-deadline': { kind: 'duration', default: '10s', help: 'after which the leader gives up' },
  'leader-elect-retry-period': { kind: 'duration', default: '2s', help: 'between two tries' },
  'leader-elect-resource-name': { kind: 'text', default: 'kube-scheduler', help: 'name of the lease' },
  'leader-elect-resource-namespace': { kind: 'text', default: 'kube-system', help: 'namespace of the lease' },
  'pod-max-in-unschedulable-pods-duration': {
    kind: 'duration',
    default: '5m',
    help: 'after which a refused pod is tried again without cause',
  },
  v: { kind: 'number', default: '2', help: 'detail of the log: 4 and more tell a developer’s story' },
} satisfies Record<string, Flag>

type Name = keyof typeof flags

/** Reads the flags. Throws an Error that says what to do for one that makes no sense. */
export function parseConfig(args: readonly string[]): SchedulerConfig {
  const values = readFlags(args)
  const text = (name: Name) => values[name] ?? flags[name].default
  const number = (name: Name) => parseNumber(name, text(name))
  const ms = (name: Name) => parseDuration(name, text(name))
  return {
    kubeconfig: text('kubeconfig'),
    bindAddress: text('bind-address'),
    securePort: number('secure-port'),
    leaderElect: parseBool('leader-elect', text('leader-elect')),
    leaseDurationMs: ms('leader-elect-lease-duration'),
    renewDeadlineMs: ms('leader-elect-renew-deadline'),
    retryPeriodMs: ms('leader-elect-retry-period'),
    leaseName: text('leader-elect-resource-name'),
    leaseNamespace: text('leader-elect-resource-namespace'),
    maxUnschedulableMs: ms('pod-max-in-unschedulable-pods-duration'),
    verbosity: number('v'),
  }
}

/** What `--help` prints. */
export function configHelp(): string {
  const width = Math.max(...Object.keys(flags).map((name) => name.length))
  const lines = Object.entries(flags).map(([name, flag]) => {
    const note = flag.default === '' ? '' : ` (default ${flag.default})`
    return `  --${name.padEnd(width)}  ${flag.help}${note}`
  })
  return `Usage: gantry scheduler [flags]\n\n${lines.join('\n')}\n`
}

function readFlags(args: readonly string[]): Partial<Record<string, string>> {
  const bools = new Set(Object.entries(flags).flatMap(([name, { kind }]) => (kind === 'bool' ? [`--${name}`] : [])))
  // A switch may stand alone, or with its value behind an equals sign.
  const spelled = args.map((arg) => (bools.has(arg) ? `${arg}=true` : arg))
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' } as const]))
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

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `1h5m0s`, `300ms`. */
function parseDuration(name: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new Error(`--${name}: ${JSON.stringify(text)} is not a duration such as 40s or 5m`)
  }
  return parts.reduce((total, [, amount, unit]) => total + Number(amount) * (units[unit as string] as number), 0)
}
