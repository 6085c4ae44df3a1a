import { availableParallelism, totalmem } from 'node:os'
import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { Exposition, iso } from './exposition.ts'
import { type ContainerUsage, type Cpu, type Disk, type Memory, Meter, type Usage } from './stats.ts'
import { type Handler, HttpError, type ServerContext } from './types.ts'
import { localBytes, volumeMetrics, volumeStats } from './volume-stats.ts'

/** `/stats/summary`, `/metrics` and `/metrics/resource|cadvisor|probes`. */
export const statsHandlers: Record<string, Handler> = {
  stats: async (context, { res, parts }) => {
    if (parts[0] !== 'summary') throw new HttpError(404, '404 page not found')
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify(await summary(context, await meterOf(context).measure())))
  },
  metrics: async (context, { res, parts }) => {
    res.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
    switch (parts[0]) {
      case undefined:
        res.end(`${await context.stats.metrics()}${await volumeMetrics(context)}`)
        return
      case 'resource':
        res.end(resourceMetrics(context, await meterOf(context).measure()))
        return
      case 'cadvisor':
        res.end(cadvisorMetrics(await meterOf(context).measure()))
        return
      default:
        throw new HttpError(404, '404 page not found')
    }
  },
}

const meters = new WeakMap<ServerContext, Meter>()

function meterOf(context: ServerContext): Meter {
  let meter = meters.get(context)
  if (!meter) {
    meter = new Meter(context.runtime)
    meters.set(context, meter)
  }
  return meter
}

/** The published Summary of the node and its pods. */
async function summary({ stats, pods, volumes }: ServerContext, { node, containers }: Usage): Promise<object> {
  const byPod = groupByPod(containers)
  return {
    node: {
      nodeName: stats.nodeName,
      startTime: iso(stats.startMs),
      cpu: cpuStats(node.cpu),
      memory: memoryStats(node.memory),
      ...(node.fs ? { fs: fsStats(node.fs) } : {}),
      ...(node.imageFs ? { runtime: { imageFs: fsStats(node.imageFs), containerFs: fsStats(node.imageFs) } } : {}),
    },
    pods: await Promise.all(
      pods.list().flatMap((pod) => {
        const own = byPod.get(pod.metadata.uid ?? '')
        return own ? podStats(pod, own, volumes) : []
      }),
    ),
  }
}

async function podStats(pod: Live<Pod>, own: readonly ContainerUsage[], volumes: ServerContext['volumes']) {
  const { name, namespace, uid = '' } = pod.metadata
  const measured = await volumes.usage(uid)
  const written = own.reduce((sum, { writtenBytes }) => sum + writtenBytes, 0)
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status?.startTime ?? pod.metadata.creationTimestamp,
    containers: own.map((usage) => ({
      name: usage.name,
      startTime: startOf(pod.status?.containerStatuses, usage.name),
      ...(usage.cpu ? { cpu: cpuStats(usage.cpu) } : {}),
      ...(usage.memory ? { memory: memoryStats(usage.memory) } : {}),
      rootfs: { time: iso(Date.now()), usedBytes: usage.writtenBytes },
    })),
    ...podTotals(own),
    ...(measured.length > 0 ? { volume: measured.map(volumeStats) } : {}),
    'ephemeral-storage': { time: iso(Date.now()), usedBytes: written + localBytes(pod, measured) },
  }
}

function podTotals(containers: readonly ContainerUsage[]): object {
  const cpus = containers.flatMap(({ cpu }) => cpu ?? [])
  const memories = containers.flatMap(({ memory }) => memory ?? [])
  const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0)
  return {
    ...(cpus[0]
      ? {
          cpu: cpuStats({
            timeMs: cpus[0].timeMs,
            coreNanoSeconds: sum(cpus, (cpu) => cpu.coreNanoSeconds),
            nanoCores: sum(cpus, (cpu) => cpu.nanoCores ?? 0),
          }),
        }
      : {}),
    ...(memories[0]
      ? {
          memory: memoryStats({
            timeMs: memories[0].timeMs,
            workingSetBytes: sum(memories, (memory) => memory.workingSetBytes),
            usageBytes: sum(memories, (memory) => memory.usageBytes),
            rssBytes: sum(memories, (memory) => memory.rssBytes),
          }),
        }
      : {}),
  }
}

const cpuStats = ({ timeMs, coreNanoSeconds, nanoCores = 0 }: Cpu) => ({
  time: iso(timeMs),
  usageNanoCores: nanoCores,
  usageCoreNanoSeconds: coreNanoSeconds,
})

const memoryStats = ({ timeMs, ...bytes }: Memory) => ({ time: iso(timeMs), ...bytes })

const fsStats = ({ timeMs, inodes, inodesFree, ...bytes }: Disk) => ({
  time: iso(timeMs),
  ...bytes,
  inodes,
  inodesFree,
  inodesUsed: inodes - inodesFree,
})

const startOf = (
  statuses: readonly { name: string; state?: { running?: { startedAt?: string } } }[] = [],
  name: string,
): string | undefined => statuses.find((status) => status.name === name)?.state?.running?.startedAt

function groupByPod(containers: readonly ContainerUsage[]): Map<string, ContainerUsage[]> {
  const byPod = new Map<string, ContainerUsage[]>()
  for (const container of containers) {
    const own = byPod.get(container.pod.uid)
    if (own) own.push(container)
    else byPod.set(container.pod.uid, [container])
  }
  return byPod
}

/** What metrics-server reads. */
function resourceMetrics({ pods: view }: ServerContext, { node, containers }: Usage): string {
  const out = new Exposition()
  const seconds = (nanoSeconds: number) => nanoSeconds / 1e9
  const cpu = out.family(
    'container_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed by the container in core-seconds',
  )
  for (const { name, pod, cpu: used } of containers) {
    if (used)
      cpu({ container: name, namespace: pod.namespace, pod: pod.name }, seconds(used.coreNanoSeconds), used.timeMs)
  }
  const started = out.family(
    'container_start_time_seconds',
    'gauge',
    'Start time of the container since unix epoch in seconds',
  )
  const statuses = new Map(view.list().map((pod) => [pod.metadata.uid, pod.status?.containerStatuses]))
  for (const { name, pod } of containers) {
    const startMs = Date.parse(startOf(statuses.get(pod.uid), name) ?? '')
    if (startMs) started({ container: name, namespace: pod.namespace, pod: pod.name }, startMs / 1000)
  }
  const memory = out.family(
    'container_memory_working_set_bytes',
    'gauge',
    'Current working set of the container in bytes',
  )
  for (const { name, pod, memory: used } of containers) {
    if (used) memory({ container: name, namespace: pod.namespace, pod: pod.name }, used.workingSetBytes, used.timeMs)
  }
  const nodeCpu = out.family(
    'node_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed by the node in core-seconds',
  )
  nodeCpu({}, seconds(node.cpu.coreNanoSeconds), node.cpu.timeMs)
  const nodeMemory = out.family('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes')
  nodeMemory({}, node.memory.workingSetBytes, node.memory.timeMs)
  const podCpu = out.family(
    'pod_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed by the pod in core-seconds',
  )
  const pods = [...groupByPod(containers).values()]
  for (const own of pods) {
    const { pod, cpu: first } = own[0]!
    const total = own.reduce((sum, { cpu }) => sum + (cpu?.coreNanoSeconds ?? 0), 0)
    if (first) podCpu({ namespace: pod.namespace, pod: pod.name }, seconds(total), first.timeMs)
  }
  const podMemory = out.family('pod_memory_working_set_bytes', 'gauge', 'Current working set of the pod in bytes')
  for (const own of pods) {
    const { pod, memory: first } = own[0]!
    const total = own.reduce((sum, { memory }) => sum + (memory?.workingSetBytes ?? 0), 0)
    if (first) podMemory({ namespace: pod.namespace, pod: pod.name }, total, first.timeMs)
  }
  out.family(
    'resource_scrape_error',
    'gauge',
    '1 if there was an error while getting container metrics, 0 otherwise',
  )({}, 0)
  return out.text
}

/** The few of cAdvisor's metrics that dashboards look for first. */
function cadvisorMetrics({ containers }: Usage): string {
  const out = new Exposition()
  const labels = ({ id, name, pod }: ContainerUsage) => ({
    container: name,
    id: `/${id}`,
    namespace: pod.namespace,
    pod: pod.name,
  })
  const cpu = out.family('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed in seconds.')
  for (const usage of containers) if (usage.cpu) cpu(labels(usage), usage.cpu.coreNanoSeconds / 1e9, usage.cpu.timeMs)
  const working = out.family('container_memory_working_set_bytes', 'gauge', 'Current working set in bytes.')
  for (const usage of containers)
    if (usage.memory) working(labels(usage), usage.memory.workingSetBytes, usage.memory.timeMs)
  const rss = out.family('container_memory_rss', 'gauge', 'Size of RSS in bytes.')
  for (const usage of containers) if (usage.memory) rss(labels(usage), usage.memory.rssBytes, usage.memory.timeMs)
  out.family('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.')({}, availableParallelism())
  out.family('machine_memory_bytes', 'gauge', 'Amount of memory installed on the machine.')({}, totalmem())
  return out.text
}
