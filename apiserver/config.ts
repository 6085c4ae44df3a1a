import { parseArgs } from 'node:util'

/** What an operator can set. Flags carry upstream's names where they mean the same. */
export interface ApiServerConfig {
  dataDir: string
  bindAddress: string
  securePort: number
  advertiseAddress: string
  /** Empty: the embedded store. */
  etcdServers: string[]
  etcdPrefix: string
  etcdCaFile: string
  etcdCertFile: string
  etcdKeyFile: string
  tlsCertFile: string
  tlsKeyFile: string
  tlsSans: string[]
  clientCaFile: string
  tokenAuthFile: string
  anonymousAuth: boolean
  authorizationModes: string[]
  serviceClusterIpRange: string
  serviceNodePortRange: [number, number]
  serviceAccountIssuer: string
  apiAudiences: string[]
  enableAdmission: string[]
  disableAdmission: string[]
  maxRequestsInflight: number
  maxMutatingRequestsInflight: number
  minRequestTimeoutSeconds: number
  requestTimeoutSeconds: number
  eventTtlSeconds: number
  historySeconds: number
  historyMaxMebibytes: number
  resourceMetrics: boolean
  /** 0: nothing is remembered. */
  metricsHistorySeconds: number
  /** Empty: no metrics are read from Prometheus. */
  prometheusUrl: string
  metricsRules: string
  allowLoopbackEndpoints: boolean
  dashboard: boolean
  shutdownGraceSeconds: number
  requestLog: boolean
}

interface Flag {
  name: string
  type: 'string' | 'boolean'
  default: string
  help: string
}

const flags: readonly Flag[] = [
  { name: 'data-dir', type: 'string', default: '.gantry', help: 'where certificates and the embedded store lie' },
  { name: 'bind-address', type: 'string', default: '0.0.0.0', help: 'address to listen on' },
  { name: 'secure-port', type: 'string', default: '6443', help: 'port to listen on; 0 takes any free one' },
  { name: 'advertise-address', type: 'string', default: '', help: 'address by which others reach this server' },
  {
    name: 'etcd-servers',
    type: 'string',
    default: '',
    help: 'etcd endpoints, comma-separated; none: the embedded store',
  },
  { name: 'etcd-prefix', type: 'string', default: '/registry', help: 'prefix of all keys in etcd' },
  { name: 'etcd-cafile', type: 'string', default: '', help: "CA that verifies etcd's certificate" },
  { name: 'etcd-certfile', type: 'string', default: '', help: 'client certificate for etcd' },
  { name: 'etcd-keyfile', type: 'string', default: '', help: 'its key' },
  { name: 'tls-cert-file', type: 'string', default: '', help: 'serving certificate; default: made by our own CA' },
  { name: 'tls-private-key-file', type: 'string', default: '', help: 'its key' },
  { name: 'tls-san', type: 'string', default: '', help: 'further names and addresses in the serving certificate' },
  { name: 'client-ca-file', type: 'string', default: '', help: 'CA of client certificates; default: our own' },
  {
    name: 'token-auth-file',
    type: 'string',
    default: '',
    help: 'CSV of static tokens: token,user,uid,"group1,group2"',
  },
  {
    name: 'anonymous-auth',
    type: 'string',
    default: 'true',
    help: 'let requests without credentials in as system:anonymous',
  },
  {
    name: 'authorization-mode',
    type: 'string',
    default: 'Node,RBAC',
    help: 'Node, RBAC, AlwaysAllow, AlwaysDeny, in order',
  },
  { name: 'service-cluster-ip-range', type: 'string', default: '10.96.0.0/16', help: 'addresses of services' },
  { name: 'service-node-port-range', type: 'string', default: '30000-32767', help: 'node ports of services' },
  {
    name: 'service-account-issuer',
    type: 'string',
    default: 'https://kubernetes.default.svc.cluster.local',
    help: 'issuer of service-account tokens',
  },
  {
    name: 'api-audiences',
    type: 'string',
    default: '',
    help: 'audiences of tokens for this server; default: the issuer',
  },
  { name: 'enable-admission-plugins', type: 'string', default: '', help: 'plugins beside the default ones' },
  { name: 'disable-admission-plugins', type: 'string', default: '', help: 'default plugins to leave out' },
  { name: 'max-requests-inflight', type: 'string', default: '400', help: 'reads at once' },
  { name: 'max-mutating-requests-inflight', type: 'string', default: '200', help: 'writes at once' },
  {
    name: 'min-request-timeout',
    type: 'string',
    default: '1800',
    help: 'seconds a watch lasts at least, unless it asks for less',
  },
  {
    name: 'request-timeout',
    type: 'string',
    default: '1m',
    help: 'how long a request may take that is no watch, stream or the like; 0: no limit',
  },
  {
    name: 'allow-loopback-endpoints',
    type: 'boolean',
    default: 'false',
    help: 'endpoints may have loopback addresses: for pods that are processes of this machine',
  },
  {
    name: 'resource-metrics',
    type: 'string',
    default: 'true',
    help: 'serve metrics.k8s.io: what nodes and pods use, asked of the node agents when somebody asks for it',
  },
  {
    name: 'metrics-history',
    type: 'string',
    default: '3h',
    help: 'how long what nodes and pods use is remembered, for the page; 0: not at all',
  },
  {
    name: 'prometheus-url',
    type: 'string',
    default: '',
    help: 'Prometheus from which custom.metrics.k8s.io and external.metrics.k8s.io are read, by --metrics-rules',
  },
  { name: 'metrics-rules', type: 'string', default: '', help: 'YAML file that says which metrics, by which queries' },
  {
    name: 'history-retention',
    type: 'string',
    default: '24h',
    help: 'how far back objects can be read as they were; at least five minutes are kept',
  },
  {
    name: 'history-max-mebibytes',
    type: 'string',
    default: '256',
    help: 'beyond this size the oldest history goes, however young; with etcd the size of all its data counts',
  },
  { name: 'dashboard', type: 'string', default: 'true', help: 'serve the page under /ui/' },
  { name: 'event-ttl', type: 'string', default: '1h', help: 'how long events are kept' },
  {
    name: 'shutdown-grace-period',
    type: 'string',
    default: '10',
    help: 'seconds to finish running requests when stopping',
  },
  { name: 'request-log', type: 'boolean', default: 'false', help: 'log every request' },
]

/** Reads the flags. Throws an Error that says what to do for one that makes no sense. */
export function parseConfig(args: readonly string[]): ApiServerConfig {
  const options = Object.fromEntries(flags.map(({ name, type }) => [name, { type } as const]))
  const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
  const text = (name: string): string => {
    const value = values[name]
    return value === undefined ? (flags.find((flag) => flag.name === name)?.default ?? '') : String(value)
  }
  const list = (name: string) =>
    text(name)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  const number = (name: string, max = Number.MAX_SAFE_INTEGER) => {
    const value = Number(text(name))
    if (!Number.isInteger(value) || value < 0 || value > max)
      throw new Error(`--${name}: ${JSON.stringify(text(name))} is not a whole number from 0 to ${max}`)
    return value
  }
  const issuer = text('service-account-issuer')
  const prometheusUrl = text('prometheus-url')
  if (prometheusUrl !== '' && !isHttpUrl(prometheusUrl)) {
    throw new Error(`--prometheus-url: ${JSON.stringify(prometheusUrl)} is no address such as http://127.0.0.1:9090`)
  }
  if ((prometheusUrl === '') !== (text('metrics-rules') === '')) {
    throw new Error('--prometheus-url and --metrics-rules: one needs the other')
  }
  const audiences = list('api-audiences')
  return {
    dataDir: text('data-dir'),
    bindAddress: text('bind-address'),
    securePort: number('secure-port', 65_535),
    advertiseAddress: text('advertise-address'),
    etcdServers: list('etcd-servers'),
    etcdPrefix: text('etcd-prefix'),
    etcdCaFile: text('etcd-cafile'),
    etcdCertFile: text('etcd-certfile'),
    etcdKeyFile: text('etcd-keyfile'),
    tlsCertFile: text('tls-cert-file'),
    tlsKeyFile: text('tls-private-key-file'),
    tlsSans: list('tls-san'),
    clientCaFile: text('client-ca-file'),
    tokenAuthFile: text('token-auth-file'),
    anonymousAuth: text('anonymous-auth') !== 'false',
    authorizationModes: list('authorization-mode'),
    serviceClusterIpRange: text('service-cluster-ip-range'),
    serviceNodePortRange: portRange(text('service-node-port-range')),
    serviceAccountIssuer: issuer,
    apiAudiences: audiences.length > 0 ? audiences : [issuer],
    enableAdmission: list('enable-admission-plugins'),
    disableAdmission: list('disable-admission-plugins'),
    maxRequestsInflight: number('max-requests-inflight'),
    maxMutatingRequestsInflight: number('max-mutating-requests-inflight'),
    minRequestTimeoutSeconds: number('min-request-timeout'),
    requestTimeoutSeconds: seconds('request-timeout', text('request-timeout')),
    eventTtlSeconds: seconds('event-ttl', text('event-ttl')),
    historySeconds: seconds('history-retention', text('history-retention')),
    historyMaxMebibytes: number('history-max-mebibytes'),
    prometheusUrl,
    metricsRules: text('metrics-rules'),
    metricsHistorySeconds: seconds('metrics-history', text('metrics-history')),
    resourceMetrics: text('resource-metrics') !== 'false',
    dashboard: text('dashboard') !== 'false',
    allowLoopbackEndpoints: values['allow-loopback-endpoints'] === true,
    shutdownGraceSeconds: number('shutdown-grace-period'),
    requestLog: values['request-log'] === true,
  }
}

/** The flags as a help text. */
export function configHelp(): string {
  const width = Math.max(...flags.map(({ name }) => name.length))
  const line = ({ name, default: value, help }: Flag) =>
    `  --${name.padEnd(width)}  ${help}${value === '' || value === 'false' ? '' : ` (default ${value})`}`
  return `Usage: gantry apiserver [flags]\n\nServes the Kubernetes API.\n\n${flags.map(line).join('\n')}\n`
}

const isHttpUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

function portRange(text: string): [number, number] {
  const match = text.match(/^(\d{1,5})-(\d{1,5})$/)
  const [low, high] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || low > high || high > 65_535 || low < 1) {
    throw new Error(`--service-node-port-range: ${JSON.stringify(text)} is not a range of ports such as 30000-32767`)
  }
  return [low, high]
}

function seconds(name: string, text: string): number {
  const match = text.match(/^(\d+)(h|m|s)?$/)
  if (!match) throw new Error(`--${name}: ${JSON.stringify(text)} is not a duration such as 1h, 30m or 90s`)
  return Number(match[1]) * ({ h: 3600, m: 60, s: 1 } as const)[(match[2] ?? 's') as 'h' | 'm' | 's']
}
