/** What a node agent tells at /metrics/resource: counters of CPU and the memory of now, each at its own time. */
export interface NodeSample {
  node: Sample
  /** By `namespace/name`, then by container. */
  pods: Map<string, Map<string, ContainerSample>>
}

export interface Sample {
  /** Of the counter. */
  timeMs: number
  cpuSeconds: number
  memoryBytes: number
}

export interface ContainerSample extends Sample {
  startedMs?: number
}

/** Reads it. What is no line of these few metrics is passed over; who lacks CPU or memory is left out. */
export function readNodeSample(text: string, nowMs: number): NodeSample {
  const node: Partial<Sample> = {}
  const containers = new Map<string, Map<string, Partial<ContainerSample>>>()
  for (const line of text.split('\n')) {
    const field = fieldOf(line)
    if (!field) continue
    const at = field.of === 'node' ? node : containerIn(containers, line)
    if (at) field.set(at, Number(field.value), field.timeMs ?? nowMs)
  }
  const pods = new Map<string, Map<string, ContainerSample>>()
  for (const [pod, own] of containers) {
    const whole = new Map([...own].filter((entry): entry is [string, ContainerSample] => isWhole(entry[1])))
    // A container that says nothing makes its pod unknown.
    if (whole.size === own.size) pods.set(pod, whole)
  }
  if (!isWhole(node)) throw new Error('it does not tell what its node uses')
  return { node, pods }
}

type Setter = (sample: Partial<ContainerSample>, value: number, timeMs: number) => void

const cpu: Setter = (sample, value, timeMs) => Object.assign(sample, { cpuSeconds: value, timeMs })
const memory: Setter = (sample, value) => Object.assign(sample, { memoryBytes: value })
const started: Setter = (sample, value) => Object.assign(sample, { startedMs: value * 1000 })

const fields = new Map<string, { of: 'node' | 'container'; set: Setter }>([
  ['node_cpu_usage_seconds_total', { of: 'node', set: cpu }],
  ['node_memory_working_set_bytes', { of: 'node', set: memory }],
  ['container_cpu_usage_seconds_total', { of: 'container', set: cpu }],
  ['container_memory_working_set_bytes', { of: 'container', set: memory }],
  ['container_start_time_seconds', { of: 'container', set: started }],
])

/** `name{labels} value time`; the labels hold names only, which need no escapes. */
const shape = /^([a-z_]+)(?:\{[^}]*\})? (\S+)(?: (\d+))?$/

function fieldOf(line: string) {
  const match = shape.exec(line)
  const field = match && fields.get(match[1] as string)
  return field ? { ...field, value: match[2] as string, timeMs: match[3] ? Number(match[3]) : undefined } : undefined
}

function containerIn(
  containers: Map<string, Map<string, Partial<ContainerSample>>>,
  line: string,
): Partial<ContainerSample> | undefined {
  const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1]
  const [container, namespace, pod] = ['container', 'namespace', 'pod'].map(label)
  if (!container || !namespace || !pod) return undefined
  const key = `${namespace}/${pod}`
  const own = containers.get(key) ?? new Map<string, Partial<ContainerSample>>()
  containers.set(key, own)
  const sample = own.get(container) ?? {}
  own.set(container, sample)
  return sample
}

const isWhole = (sample: Partial<Sample>): sample is Sample =>
  [sample.timeMs, sample.cpuSeconds, sample.memoryBytes].every(Number.isFinite)
