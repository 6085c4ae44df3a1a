import type {
  Container,
  ContainerPort,
  ContainerState,
  ContainerStatus,
  EnvFromSource,
  EnvVar,
  Probe,
  ResourceRequirements,
  SeccompProfile,
} from '../../api/generated/types.ts'
import { boolText, bracketed, field, fieldIf, indent, longTime, section, sortedEntries } from './lines.ts'
import { resourceFieldText } from './resource-field.ts'

/** The containers of a pod, or of a template, where nothing runs and so nothing has a state. */
export interface ContainersOf {
  containers: readonly Container[]
  statuses?: readonly ContainerStatus[] | undefined
  /** The value of a field of the pod; without one, of a template, it is not known. */
  fieldValue?: (path: string) => string
  /** Templates show their containers one space further in. */
  nameIndent?: string
}

/** A titled list of containers, each with what it is made of and how it fares. */
export function containerLines(title: string, of: ContainersOf): string[] {
  const statuses = new Map(of.statuses?.map((status) => [status.name, status]))
  return [
    `${title}:${of.containers.length === 0 ? ' <none>' : ''}`,
    ...of.containers.flatMap((container) => [
      `  ${of.nameIndent ?? ''}${container.name}:`,
      ...indent(oneContainer(container, statuses.get(container.name), of.fieldValue), 2),
    ]),
  ]
}

function oneContainer(
  container: Container,
  status: ContainerStatus | undefined,
  fieldValue: ContainersOf['fieldValue'],
): string[] {
  const { image, ports = [], command = [], args = [], securityContext } = container
  return [
    ...(status ? [field('Container ID', status.containerID)] : []),
    field('Image', image),
    ...(status ? [field('Image ID', status.imageID)] : []),
    portsField('Port', ports, ({ containerPort }) => containerPort),
    portsField('Host Port', ports, ({ hostPort }) => hostPort ?? 0),
    ...seccompLines(securityContext?.seccompProfile, 1),
    ...section('Command', linesOf(command)),
    ...section('Args', linesOf(args)),
    ...(status ? stateLines(status) : []),
    ...resourceLines(container.resources),
    ...probeLines(container),
    ...envFromLines(container.envFrom),
    ...envLines(container, fieldValue),
    ...mountLines(container),
  ]
}

const linesOf = (words: readonly string[]): string[] => words.flatMap((word) => word.split('\n'))

function portsField(label: string, ports: readonly ContainerPort[], of: (port: ContainerPort) => number): string {
  const texts = ports.map((port) => `${of(port)}/${port.protocol ?? 'TCP'}${port.name ? ` (${port.name})` : ''}`)
  return field(texts.length > 1 ? `${label}s` : label, texts.join(', ') || '<none>')
}

/** A seccomp profile, and the file of one that is the node's own. */
export const seccompLines = (profile: SeccompProfile | undefined, levels: number): string[] =>
  profile
    ? [
        field('SeccompProfile', profile.type),
        ...(profile.type === 'Localhost' ? indent([field('LocalhostProfile', profile.localhostProfile)], levels) : []),
      ]
    : []

function stateLines({ state, lastState, ready, restartCount }: ContainerStatus): string[] {
  return [
    ...oneState('State', state),
    ...(lastState?.terminated ? oneState('Last State', lastState) : []),
    field('Ready', boolText(ready)),
    field('Restart Count', restartCount),
  ]
}

function oneState(label: string, { running, waiting, terminated }: ContainerState = {}): string[] {
  if (running) return [field(label, 'Running'), ...indent([field('Started', longTime(running.startedAt))])]
  if (!terminated) return [field(label, 'Waiting'), ...indent(fieldIf('Reason', waiting?.reason))]
  return [
    field(label, 'Terminated'),
    ...indent([
      ...fieldIf('Reason', terminated.reason),
      ...fieldIf('Message', terminated.message),
      field('Exit Code', terminated.exitCode),
      ...(terminated.signal ? [field('Signal', terminated.signal)] : []),
      field('Started', longTime(terminated.startedAt)),
      field('Finished', longTime(terminated.finishedAt)),
    ]),
  ]
}

/** Limits and requests. */
export const resourceLines = ({ limits, requests }: ResourceRequirements = {}): string[] =>
  [['Limits', limits] as const, ['Requests', requests] as const].flatMap(([title, amounts]) =>
    section(
      title,
      sortedEntries(amounts).map(([name, amount]) => field(name, amount)),
    ),
  )

function probeLines({ livenessProbe, readinessProbe, startupProbe }: Container): string[] {
  return [
    ...(livenessProbe ? [field('Liveness', probeText(livenessProbe))] : []),
    ...(readinessProbe ? [field('Readiness', probeText(readinessProbe))] : []),
    ...(startupProbe ? [field('Startup', probeText(startupProbe))] : []),
  ]
}

/** `http-get http://:8080/ delay=0s timeout=1s period=10s #success=1 #failure=3`. */
export function probeText(probe: Probe): string {
  const { initialDelaySeconds = 0, timeoutSeconds = 0, periodSeconds = 0 } = probe
  const { successThreshold = 0, failureThreshold = 0, exec, httpGet, tcpSocket, grpc } = probe
  const times = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`
  if (exec) return `exec ${bracketed(exec.command)} ${times}`
  if (httpGet) {
    const { scheme = '', host = '', port, path = '' } = httpGet
    return `http-get ${scheme.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}${path} ${times}`
  }
  if (tcpSocket) return `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port} ${times}`
  if (grpc) return `grpc <pod>:${grpc.port} ${grpc.service ?? ''} ${times}`
  return `unknown ${times}`
}

function envFromLines(sources: readonly EnvFromSource[] = []): string[] {
  return section(
    'Environment Variables from',
    sources.map(({ configMapRef, secretRef, prefix }) => {
      const from = configMapRef ? 'ConfigMap' : secretRef ? 'Secret' : ''
      const ref = configMapRef ?? secretRef
      const how = prefix ? `${from} with prefix '${prefix}'` : from
      return `${ref?.name ?? ''}\t${how}\tOptional: ${ref?.optional ?? false}`
    }),
  )
}

function envLines(container: Container, fieldValue: ContainersOf['fieldValue']): string[] {
  const { env = [] } = container
  if (env.length === 0) return ['Environment:\t<none>']
  return ['Environment:', ...indent(env.flatMap((variable) => oneVariable(variable, container, fieldValue)))]
}

function oneVariable(
  { name, value = '', valueFrom }: EnvVar,
  container: Container,
  fieldValue: ContainersOf['fieldValue'],
): string[] {
  if (!valueFrom) return value.split('\n').map((line, i) => (i === 0 ? field(name, line) : `\t${line}`))
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom
  if (fieldRef)
    return [
      field(name, `${fieldValue?.(fieldRef.fieldPath) ?? ''} (${fieldRef.apiVersion ?? 'v1'}:${fieldRef.fieldPath})`),
    ]
  if (resourceFieldRef)
    return [field(name, `${resourceFieldText(resourceFieldRef, container)} (${resourceFieldRef.resource})`)]
  if (secretKeyRef)
    return [
      field(
        name,
        `<set to the key '${secretKeyRef.key}' in secret '${secretKeyRef.name}'>\tOptional: ${secretKeyRef.optional ?? false}`,
      ),
    ]
  if (configMapKeyRef)
    return [
      field(
        name,
        `<set to the key '${configMapKeyRef.key}' of config map '${configMapKeyRef.name}'>\tOptional: ${configMapKeyRef.optional ?? false}`,
      ),
    ]
  return []
}

function mountLines({ volumeMounts = [], volumeDevices = [] }: Container): string[] {
  const none = volumeMounts.length === 0 ? '\t<none>' : ''
  const mounts = [...volumeMounts].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1))
  const devices = [...volumeDevices].sort((a, b) => (a.devicePath < b.devicePath ? -1 : 1))
  return [
    `Mounts:${none}`,
    ...indent(
      mounts.map(({ mountPath, name, readOnly, subPath }) => {
        const flags = `${readOnly ? 'ro' : 'rw'}${subPath ? `,path=${JSON.stringify(subPath)}` : ''}`
        return `${mountPath} from ${name} (${flags})`
      }),
    ),
    ...(devices.length > 0
      ? [`Devices:${none}`, ...indent(devices.map(({ devicePath, name }) => `${devicePath} from ${name}`))]
      : []),
  ]
}
