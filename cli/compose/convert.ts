import { readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { dependsOnAnnotation } from '../../api/gantry/depends-on.ts'
import { CliError } from '../errors.ts'
import { parseDuration } from '../flags.ts'
import type { NamedObject } from '../objects.ts'
import { type ComposeFile, type ComposeResources, type ComposeService, envFile } from './read.ts'

export interface Converted {
  objects: NamedObject[]
  /** What could not be taken over, in words. */
  warnings: string[]
  /** Where compose would publish a port: what reaches it here. */
  published: { service: string; hostPort: string; port: number }[]
}

/** By which the objects of a project find together. */
const projectLabel = 'app.kubernetes.io/part-of'
const nameLabel = 'app.kubernetes.io/name'
const volumeSize = '1Gi'

const understood = new Set([
  ...['image', 'build', 'command', 'entrypoint', 'environment', 'env_file', 'ports', 'expose', 'volumes', 'tmpfs'],
  ...['depends_on', 'healthcheck', 'deploy', 'secrets', 'configs', 'labels', 'restart', 'user', 'working_dir'],
  ...['stdin_open', 'tty', 'read_only', 'privileged', 'cap_add', 'cap_drop', 'stop_grace_period', 'hostname'],
])
/** Of no meaning here: every pod reaches every service by its name. */
const needless = new Set([
  'container_name',
  'networks',
  'links',
  'logging',
  'init',
  'platform',
  'pull_policy',
  'profiles',
])

/** The services of a compose file as workloads, services and claims. Throws for what makes none. */
export function convert(file: ComposeFile, directory: string, project: string): Converted {
  const out: Converted = { objects: [], warnings: [], published: [] }
  const services = Object.entries(file.services ?? {}).map(([name, service]) => [nameOf(name), service ?? {}] as const)
  const finite = new Set(services.flatMap(([, service]) => completed(service)).map(nameOf))
  const labels = { [projectLabel]: project }
  for (const kind of ['secrets', 'configs'] as const) {
    for (const [name, source] of Object.entries(file[kind] ?? {})) {
      const content = contentOf(name, source ?? {}, directory)
      const metadata = { name: nameOf(name), labels }
      out.objects.push(
        kind === 'secrets'
          ? { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { [name]: content } }
          : { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [name]: content } },
      )
    }
  }
  for (const name of Object.keys(file.volumes ?? {})) out.objects.push(claim(nameOf(name), labels))
  for (const [name, service] of services) {
    for (const field of Object.keys(service))
      if (!understood.has(field) && !needless.has(field)) out.warnings.push(`${name}: ${field} is left out`)
    const own = { ...labels, [nameLabel]: name }
    const ports = portsOf(name, service, out)
    out.objects.push(workload(name, service, { file, directory, labels: own, isJob: finite.has(name), finite, ports }))
    if (!finite.has(name)) out.objects.push(serviceFor(name, ports, own))
  }
  return out
}

/** Names of objects are stricter than compose's. */
const nameOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')

/** Those that a service waits for until they have ended. */
function completed({ depends_on: others }: ComposeService): string[] {
  if (!others || Array.isArray(others)) return []
  return Object.entries(others).flatMap(([name, how]) =>
    how?.condition === 'service_completed_successfully' ? [name] : [],
  )
}

function contentOf(
  name: string,
  source: { file?: string; environment?: string; content?: string },
  directory: string,
): string {
  if (source.content !== undefined) return source.content
  if (source.environment !== undefined) return process.env[source.environment] ?? ''
  if (source.file === undefined)
    throw new CliError(`${name} has no file: only files, environment and content are known here`)
  return readFileSync(resolve(directory, source.file), 'utf8')
}

const claim = (name: string, labels: Record<string, string>): NamedObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, labels },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: volumeSize } } },
})

interface Port {
  port: number
  protocol: string
}

/** `8080:80`, `127.0.0.1:8080:80/udp`, `80`, or the long form; ranges are taken apart. */
function portsOf(name: string, { ports = [], expose = [] }: ComposeService, out: Converted): Port[] {
  const found = new Map<string, Port>()
  const add = (port: number, protocol: string) =>
    found.set(`${port}/${protocol}`, { port, protocol: protocol.toUpperCase() })
  for (const one of ports) {
    if (typeof one === 'object') {
      add(one.target, one.protocol ?? 'tcp')
      if (one.published !== undefined)
        out.published.push({ service: name, hostPort: String(one.published), port: one.target })
      continue
    }
    const [where = '', protocol = 'tcp'] = String(one).split('/')
    const parts = where.split(':')
    const inside = rangeOf(name, parts.at(-1) ?? '')
    const outside = parts.length > 1 ? rangeOf(name, parts.at(-2) ?? '') : []
    for (const [i, port] of inside.entries()) {
      add(port, protocol)
      const hostPort = outside[i]
      if (hostPort !== undefined) out.published.push({ service: name, hostPort: String(hostPort), port })
    }
  }
  for (const one of expose) {
    const [where = '', protocol = 'tcp'] = String(one).split('/')
    for (const port of rangeOf(name, where)) add(port, protocol)
  }
  return [...found.values()]
}

function rangeOf(name: string, text: string): number[] {
  const [first = Number.NaN, last = first] = text.split('-').map(Number)
  if (!(first >= 1 && last <= 65_535 && first <= last)) throw new CliError(`${name}: ${text} is no port`)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** By which others reach it by name; without ports, its name leads to its pods themselves. */
function serviceFor(name: string, ports: readonly Port[], labels: Record<string, string>): NamedObject {
  const listed = ports.map(({ port, protocol }) => ({
    name: `${protocol.toLowerCase()}-${port}`,
    port,
    ...(protocol === 'TCP' ? {} : { protocol }),
  }))
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { selector: labels, ...(listed.length > 0 ? { ports: listed } : { clusterIP: 'None' }) },
  }
}

interface Surroundings {
  file: ComposeFile
  directory: string
  labels: Record<string, string>
  isJob: boolean
  finite: ReadonlySet<string>
  ports: readonly Port[]
}

function workload(name: string, service: ComposeService, around: Surroundings): NamedObject {
  const { labels, isJob, finite } = around
  if (!service.image)
    throw new CliError(
      service.build
        ? `${name} is built from a directory: build it with \`gantry image build DIR --tag NAME\` and say image: NAME`
        : `${name} has no image`,
    )
  const { mounts, volumes, claims } = mountsOf(name, service, around)
  const waits = dependencies(service).map(
    (other) => `${finite.has(nameOf(other)) ? 'job' : 'deployment'}/${nameOf(other)}`,
  )
  const annotations = {
    ...labelsOf(service.labels),
    ...(waits.length > 0 ? { [dependsOnAnnotation]: waits.join(', ') } : {}),
  }
  const graceSeconds = service.stop_grace_period ? secondsOf(name, service.stop_grace_period) : undefined
  const template = {
    metadata: { labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: {
      ...(isJob ? { restartPolicy: 'OnFailure' } : {}),
      ...(service.hostname ? { hostname: service.hostname } : {}),
      ...(graceSeconds === undefined ? {} : { terminationGracePeriodSeconds: graceSeconds }),
      containers: [containerOf(name, service, around, mounts)],
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  }
  if (isJob) return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, labels }, spec: { template } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: service.deploy?.replicas ?? 1,
      selector: { matchLabels: labels },
      // Two generations of pods would write to one disk.
      ...(claims ? { strategy: { type: 'Recreate' } } : {}),
      template,
    },
  }
}

const dependencies = ({ depends_on: others = [] }: ComposeService): string[] =>
  Array.isArray(others) ? others : Object.keys(others)

function containerOf(
  name: string,
  service: ComposeService,
  { directory, ports }: Surroundings,
  mounts: object[],
): object {
  const { healthcheck, deploy } = service
  const env = Object.entries(environmentOf(service, directory)).map(([key, value]) => ({ name: key, value }))
  const probe = healthcheck && probeOf(name, healthcheck)
  const [user, group] = String(service.user ?? '')
    .split(':')
    .map((text) => (/^\d+$/.test(text) ? Number(text) : undefined))
  const security = {
    ...(user === undefined ? {} : { runAsUser: user }),
    ...(group === undefined ? {} : { runAsGroup: group }),
    ...(service.privileged ? { privileged: true } : {}),
    ...(service.read_only ? { readOnlyRootFilesystem: true } : {}),
    ...(service.cap_add || service.cap_drop
      ? {
          capabilities: {
            ...(service.cap_add ? { add: service.cap_add } : {}),
            ...(service.cap_drop ? { drop: service.cap_drop } : {}),
          },
        }
      : {}),
  }
  const resources = {
    ...(deploy?.resources?.limits ? { limits: amountsOf(deploy.resources.limits) } : {}),
    ...(deploy?.resources?.reservations ? { requests: amountsOf(deploy.resources.reservations) } : {}),
  }
  return {
    name,
    image: service.image,
    ...(service.entrypoint === undefined ? {} : { command: wordsOf(service.entrypoint) }),
    ...(service.command === undefined ? {} : { args: wordsOf(service.command) }),
    ...(service.working_dir ? { workingDir: service.working_dir } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...(ports.length > 0
      ? {
          ports: ports.map(({ port, protocol }) => ({
            containerPort: port,
            ...(protocol === 'TCP' ? {} : { protocol }),
          })),
        }
      : {}),
    ...(probe ? { readinessProbe: probe } : {}),
    ...(Object.keys(resources).length > 0 ? { resources } : {}),
    ...(Object.keys(security).length > 0 ? { securityContext: security } : {}),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
    ...(service.stdin_open ? { stdin: true } : {}),
    ...(service.tty ? { tty: true } : {}),
  }
}

/** A command in one text is split as a shell would. */
function wordsOf(command: string | string[]): string[] {
  if (Array.isArray(command)) return command.map(String)
  return Array.from(command.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g), ([, double, single, bare]) =>
    double === undefined ? (single ?? bare ?? '') : double.replace(/\\(.)/g, '$1'),
  )
}

function environmentOf(
  { environment = {}, env_file: files = [] }: ComposeService,
  directory: string,
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const one of [files].flat())
    Object.assign(found, envFile(join(directory, typeof one === 'string' ? one : one.path)))
  const own: [string, unknown][] = Array.isArray(environment)
    ? environment.map((line) => {
        const at = line.indexOf('=')
        return at < 0 ? [line, null] : [line.slice(0, at), line.slice(at + 1)]
      })
    : Object.entries(environment)
  // A name alone passes on what it is here.
  for (const [key, value] of own) found[key] = String(value ?? process.env[key] ?? '')
  return found
}

const labelsOf = (labels: ComposeService['labels'] = {}): Record<string, string> =>
  Array.isArray(labels)
    ? Object.fromEntries(labels.map((line) => [line.split('=')[0] ?? '', line.split('=').slice(1).join('=')]))
    : Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]))

/** Whether it is ready: compose restarts nothing that is not well. */
function probeOf(name: string, check: NonNullable<ComposeService['healthcheck']>): object | undefined {
  const { test = [], interval = '30s', timeout = '30s', retries = 3, disable } = check
  const words = typeof test === 'string' ? ['CMD-SHELL', test] : test
  if (disable || words.length === 0 || words[0] === 'NONE') return undefined
  const command =
    words[0] === 'CMD-SHELL' ? ['/bin/sh', '-c', words.slice(1).join(' ')] : words.slice(words[0] === 'CMD' ? 1 : 0)
  return {
    exec: { command },
    periodSeconds: secondsOf(name, interval),
    timeoutSeconds: secondsOf(name, timeout),
    failureThreshold: retries,
  }
}

function secondsOf(name: string, text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new CliError(`${name}: ${text} is no duration such as 30s or 1m30s`)
  return Math.max(1, Math.round(ms / 1000))
}

/** `0.5` of a processor, `512M` of memory. */
function amountsOf({ cpus, memory }: ComposeResources): Record<string, string> {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([bkmg]?)b?$/i.exec(String(memory ?? '')) ?? []
  const suffix = { k: 'Ki', m: 'Mi', g: 'Gi' }[unit.toLowerCase()] ?? ''
  return {
    ...(cpus === undefined ? {} : { cpu: String(cpus) }),
    ...(amount === '' ? {} : { memory: `${amount}${suffix}` }),
  }
}

function mountsOf(name: string, service: ComposeService, { file, directory }: Surroundings) {
  const mounts: object[] = []
  const volumes: object[] = []
  let claims = false
  const mount = (volume: object, target: string, more: object = {}) => {
    const id = `v${volumes.length}`
    volumes.push({ name: id, ...volume })
    mounts.push({ name: id, mountPath: target, ...more })
  }
  for (const one of service.volumes ?? []) {
    const { source, target, readOnly } =
      typeof one === 'string' ? volumeOf(one) : { source: one.source, target: one.target, readOnly: one.read_only }
    if (!target) throw new CliError(`${name}: a volume needs the path in the container: ${JSON.stringify(one)}`)
    const more = readOnly ? { readOnly: true } : {}
    if (source === undefined) mount({ emptyDir: {} }, target, more)
    else if (source in (file.volumes ?? {})) {
      claims = true
      mount({ persistentVolumeClaim: { claimName: nameOf(source) } }, target, more)
    } else if (isAbsolute(source) || /^[.~]/.test(source)) {
      mount({ hostPath: { path: resolve(directory, source.replace(/^~/, process.env.HOME ?? '~')) } }, target, more)
    } else throw new CliError(`${name}: the volume ${source} is not among the volumes of the file`)
  }
  for (const target of [service.tmpfs ?? []].flat())
    mount({ emptyDir: { medium: 'Memory' } }, target.split(':')[0] ?? '')
  for (const [kind, standard] of [
    ['secrets', '/run/secrets/'],
    ['configs', '/'],
  ] as const) {
    for (const one of service[kind] ?? []) {
      const source = typeof one === 'string' ? one : one.source
      const target = typeof one === 'object' && one.target ? one.target : source
      const path = isAbsolute(target) ? target : `${standard}${target}`
      mount(
        kind === 'secrets' ? { secret: { secretName: nameOf(source) } } : { configMap: { name: nameOf(source) } },
        path,
        {
          subPath: source,
          readOnly: true,
        },
      )
    }
  }
  return { mounts, volumes, claims }
}

/** `data:/var/lib/data:ro`, `./here:/there`, `/there`. */
function volumeOf(text: string): { source: string | undefined; target: string | undefined; readOnly: boolean } {
  const parts = text.split(':')
  if (parts.length === 1) return { source: undefined, target: parts[0], readOnly: false }
  return { source: parts[0], target: parts[1], readOnly: (parts[2] ?? '').split(',').includes('ro') }
}
