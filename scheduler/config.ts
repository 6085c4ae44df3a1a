import { parseArgs } from 'node:util'
import { parseDuration } from '../api/machinery/duration.ts'
import type { LeaderElection } from './configuration/types.ts'
import { given } from './given.ts'

/** A configuration that makes no sense; found before anything is scheduled. */
export class ConfigurationError extends Error {}

/** What an operator can set. Flags carry upstream's names. */
export interface SchedulerConfig {
  /** A KubeSchedulerConfiguration; empty for none. */
  configFile: string
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
  config: {
    kind: 'text',
    default: '',
    help: 'a KubeSchedulerConfiguration v1: profiles, extenders, and what flags say',
  },
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

/** What a configuration file says that flags can say as well. */
export interface FromFile {
  kubeconfig: string
  leaderElection: LeaderElection
}

/**
 * Reads the flags. They override what a configuration file says, but for the kubeconfig, as upstream has it. Throws an
 * Error that says what to do for one that makes no sense.
 */
export function parseConfig(args: readonly string[], file?: FromFile): SchedulerConfig {
  const values = readFlags(args)
  const inFile = fileValues(file)
  const text = (name: Name) => values[name] ?? inFile[name] ?? flags[name].default
  const number = (name: Name) => parseNumber(name, text(name))
  const ms = (name: Name) => readDuration(name, text(name))
  return {
    configFile: text('config'),
    kubeconfig: file?.kubeconfig || text('kubeconfig'),
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

function fileValues(
  { leaderElection }: FromFile = { kubeconfig: '', leaderElection: {} },
): Partial<Record<Name, string>> {
  const { leaderElect, leaseDuration, renewDeadline, retryPeriod, resourceName, resourceNamespace } = leaderElection
  return given({
    'leader-elect': leaderElect === undefined ? undefined : String(leaderElect),
    'leader-elect-lease-duration': leaseDuration,
    'leader-elect-renew-deadline': renewDeadline,
    'leader-elect-retry-period': retryPeriod,
    'leader-elect-resource-name': resourceName,
    'leader-elect-resource-namespace': resourceNamespace,
  })
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

function readDuration(name: string, text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 0)
    throw new Error(`--${name}: ${JSON.stringify(text)} is not a duration such as 40s or 5m`)
  return ms
}
