import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Service } from '../api/generated/types.ts'
import type { EventRecorder } from '../client/events.ts'
import type { InformerFactory } from '../client/informer.ts'
import type { Logger } from '../client/logger.ts'
import { services } from '../client/resources.ts'
import type { Api, Clock } from '../client/types.ts'
import type { NodeAgentConfig } from './config.ts'
import type { PodCgroups } from './containers/cgroups.ts'
import { parseResolvConf } from './containers/dns.ts'
import type { NodeStorage } from './csi/start.ts'
import { resolvesCdi } from './devices/cdi.ts'
import type { PodDevices } from './devices/pod-devices.ts'
import { ImagePuller } from './images/puller.ts'
import type { KeptLogs } from './logs/kept-logs.ts'
import type { Machine } from './node/machine.ts'
import type { NodeReporter } from './node/reporter.ts'
import type { NodeIdentity } from './node/status.ts'
import { BackOff } from './pods/backoff.ts'
import type { NodeFacts, PodDeps } from './pods/deps.ts'
import { readLastWords } from './pods/last-words.ts'
import { PodEvents } from './pods/pod-events.ts'
import { RuntimeView } from './pods/runtime-view.ts'
import { StatusWriter } from './pods/status-writer.ts'
import type { BoundPod } from './pods/types.ts'
import { check } from './probes/checks.ts'
import { Probes } from './probes/manager.ts'
import type { Runtime } from './runtime/index.ts'
import { imageVolume } from './volumes/image.ts'
import { Volumes } from './volumes/manager.ts'
import { ObjectWatches } from './volumes/objects.ts'
import { volumePlugins } from './volumes/plugins.ts'
import { PodTokens } from './volumes/tokens.ts'

/** What the workers of pods are handed is made of. */
export interface Materials {
  options: { config: NodeAgentConfig; api: Api; informers: InformerFactory; clock: Clock; log: Logger }
  storage: NodeStorage
  devices: PodDevices
  directories: { pods: string; memory: string; logs: string }
  keptLogs: KeptLogs
  machine: Machine
  recorder: EventRecorder
  runtime: Runtime
  reporter: NodeReporter
  identity: NodeIdentity
  memory: { mayMount: boolean }
  cgroups: PodCgroups | undefined
  wake(uid: string): void
  network: PodDeps['network']
}

/** Makes what every worker of a pod is handed, and with it the volumes of the node. */
export function makeDeps(materials: Materials): { pods: PodDeps; objects: ObjectWatches; volumes: Volumes } {
  const { options, storage, directories, recorder, runtime, memory, cgroups, wake } = materials
  const { api, clock, log } = options
  const { cri } = runtime
  const node = nodeFacts(materials)
  const events = new PodEvents(recorder)
  const tokens = new PodTokens(api, clock)
  const objects = new ObjectWatches(api, clock, (uids) => {
    for (const uid of uids) {
      volumes.refresh(uid)
      wake(uid)
    }
  })
  const statuses = new StatusWriter(api, clock, log)
  const volumes = new Volumes({
    api,
    plugins: [...volumePlugins, imageVolume(runtime), storage.volumes],
    podsDirectory: directories.pods,
    memoryDirectory: directories.memory,
    pluginsDirectory: join(options.config.rootDir, 'plugins'),
    mayMount: memory.mayMount,
    objects,
    tokens,
    facts: (pod: BoundPod) => node.facts(statuses.current(pod).podIPs?.flatMap(({ ip }) => ip ?? []) ?? []),
    events,
    clock,
    log,
  })
  const hollow = runtime.name === 'hollow'
  const probes = new Probes({
    clock,
    // Nothing answers in a hollow container.
    check: hollow ? async () => ({ verdict: 'success', output: '' }) : (probe, target) => check(cri, probe, target),
    changed: wake,
    unhealthy: (pod, slot, reason, message) => events.warning(pod, reason, message, slot),
  })
  const images = tellingImages(new ImagePuller({ cri, events: recorder, clock }), () =>
    materials.reporter.imagesChanged(),
  )
  const deps: PodDeps = {
    api,
    clock,
    log,
    cri,
    devices: materials.devices,
    runtimeName: runtime.name,
    view: new RuntimeView(cri, (facts) => readLastWords(directories.pods, facts)),
    images,
    volumes,
    objects,
    tokens,
    probes,
    backOff: new BackOff(),
    cgroups,
    events,
    statuses,
    keptLogs: materials.keptLogs,
    network: materials.network,
    node,
  }
  return { pods: deps, objects, volumes }
}

/** The same images, telling of each that is met for the first time: the node's status lists them. */
function tellingImages(puller: ImagePuller, changed: () => void): PodDeps['images'] {
  const met = new Set<string>()
  return {
    nextTry: (podUid, image) => puller.nextTry(podUid, image),
    async ensure(pod, container, secrets) {
      const image = await puller.ensure(pod, container, secrets)
      if (!met.has(image.imageRef)) {
        met.add(image.imageRef)
        changed()
      }
      return image
    },
  }
}

function nodeFacts({ options, directories, machine, reporter, identity, memory, runtime }: Materials): NodeFacts {
  const { config, informers } = options
  const lister = informers.for<Service>(services).lister
  const host = { servers: [] as string[], searches: [] as string[], options: [] as string[] }
  if (config.resolvConf !== '') {
    void readFile(config.resolvConf, 'utf8').then(
      (text) => Object.assign(host, parseResolvConf(text)),
      () => undefined,
    )
  }
  return {
    nodeName: config.nodeName,
    get hostIps() {
      return identity.addresses
    },
    dns: { clusterDns: config.clusterDns, clusterDomain: config.clusterDomain, host },
    logRoot: directories.logs,
    podsDirectory: directories.pods,
    mayMount: memory.mayMount,
    recursiveReadOnly: () => reporter.recursiveReadOnly,
    resolvesCdi: () => resolvesCdi(runtime),
    seccompRoot: join(config.rootDir, 'seccomp'),
    memoryCapacity: machine.memoryBytes,
    facts: (podIps) => ({
      podIps,
      hostIps: identity.addresses,
      nodeName: config.nodeName,
      allocatable: reporter.node?.status?.allocatable ?? {},
    }),
    services: () => lister.list(),
    networkFault: () => reporter.networkFault,
    readHostsFile: () => readFile('/etc/hosts', 'utf8').catch(() => ''),
  }
}
