import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { podQOS } from '../../api/core/pod-qos.ts'
import type { Logger } from '../../client/logger.ts'
import { podLimits, podRequests } from '../pods/resources.ts'
import type { BoundPod } from '../pods/types.ts'
import { cpuQuota, cpuShares, cpuWeight, quotaPeriod } from './resources.ts'

/** The tree of groups that pods live in: `kubepods`, below it `burstable` and `besteffort`, below them one a pod. */
export interface PodCgroups {
  readonly version: 1 | 2
  /** What the runtime is told: `/kubepods/burstable/pod<uid>`. */
  parentOf(pod: BoundPod): string
  /** Makes the pod's group and sets its limits. */
  ensure(pod: BoundPod): Promise<void>
  /** Removes the pod's group, and kills what is still in it. */
  remove(uid: string): Promise<void>
  /** The pods that have a group. */
  list(): Promise<string[]>
}

const classes = ['', 'burstable', 'besteffort'] as const

/** Opens the tree, or tells why this machine does not let us: then pods have no common group. */
export async function openCgroups(options: {
  /** Where the kernel's tree is mounted. */
  mount?: string
  /** Above `kubepods`; '' or a path that starts with a slash. */
  root?: string
  cores: number
  pidsLimit: number
  log: Logger
}): Promise<PodCgroups | undefined> {
  const { mount = '/sys/fs/cgroup', root = '', cores, log } = options
  const unified = await readFile(join(mount, 'cgroup.controllers'), 'utf8').catch(() => undefined)
  const tree = unified === undefined ? await legacyTree(mount) : unifiedTree(mount)
  const top = `${root}/kubepods`
  try {
    for (const name of classes) await tree.make(join(top, name))
    await tree.set(top, { cpuMilli: cores * 1000 })
    await tree.set(join(top, 'besteffort'), { cpuMilli: 0 })
  } catch (error) {
    log.warn({ err: error }, 'pods get no cgroup of their own: this process may not make any')
    return undefined
  }
  return new Tree(tree, top, options.pidsLimit)
}

interface Limits {
  cpuMilli?: number
  /** Thousandths; 0: none. */
  cpuLimitMilli?: number
  memoryBytes?: number
  pids?: number
}

interface Hierarchy {
  readonly version: 1 | 2
  make(path: string): Promise<void>
  set(path: string, limits: Limits): Promise<void>
  /** Every directory of that path, one a hierarchy. */
  directories(path: string): string[]
}

class Tree implements PodCgroups {
  readonly version: 1 | 2
  readonly #tree: Hierarchy
  readonly #top: string
  readonly #pidsLimit: number
  /** Thousandths of a core by burstable pod: their group weighs as much as they ask for together. */
  readonly #burstable = new Map<string, number>()

  constructor(tree: Hierarchy, top: string, pidsLimit: number) {
    this.version = tree.version
    this.#tree = tree
    this.#top = top
    this.#pidsLimit = pidsLimit
  }

  parentOf(pod: BoundPod): string {
    const qos = podQOS(pod)
    const name = qos === 'Guaranteed' ? '' : qos.toLowerCase()
    return join(this.#top, name, `pod${pod.metadata.uid}`)
  }

  async ensure(pod: BoundPod): Promise<void> {
    const path = this.parentOf(pod)
    await this.#tree.make(path)
    const requests = podRequests(pod.spec)
    const limits = podLimits(pod.spec)
    const cpuMilli = requests.get('cpu') ?? 0
    await this.#tree.set(path, {
      cpuMilli,
      cpuLimitMilli: limits.get('cpu') ?? 0,
      memoryBytes: limits.get('memory') ?? 0,
      pids: this.#pidsLimit,
    })
    if (podQOS(pod) !== 'Burstable' || this.#burstable.get(pod.metadata.uid) === cpuMilli) return
    this.#burstable.set(pod.metadata.uid, cpuMilli)
    await this.#weighBurstable()
  }

  async remove(uid: string): Promise<void> {
    for (const name of classes) {
      for (const directory of this.#tree.directories(join(this.#top, name, `pod${uid}`))) await removeTree(directory)
    }
    if (this.#burstable.delete(uid)) await this.#weighBurstable()
  }

  async list(): Promise<string[]> {
    const uids = new Set<string>()
    for (const name of classes) {
      for (const directory of this.#tree.directories(join(this.#top, name))) {
        const entries = await readdir(directory).catch(() => [])
        for (const entry of entries) if (entry.startsWith('pod')) uids.add(entry.slice(3))
      }
    }
    return [...uids]
  }

  async #weighBurstable(): Promise<void> {
    const cpuMilli = [...this.#burstable.values()].reduce((sum, milli) => sum + milli, 0)
    await this.#tree.set(join(this.#top, 'burstable'), { cpuMilli })
  }
}

async function legacyTree(mount: string): Promise<Hierarchy> {
  const names = await readdir(mount).catch(() => [] as string[])
  const mounts = new Map(names.map((name) => [name, join(mount, name)]))
  const of = (controller: string): string | undefined => mounts.get(controller)
  const limited = ['cpu', 'memory', 'pids'].flatMap((name) => of(name) ?? [])
  const write = async (controller: string, path: string, file: string, value: string): Promise<void> => {
    const base = of(controller)
    if (base !== undefined) await writeFile(join(base, path, file), value)
  }
  return {
    version: 1,
    directories: (path) => [...mounts.values()].map((base) => join(base, path)),
    async make(path) {
      if (limited.length === 0) throw new Error(`no cgroups under ${mount}`)
      for (const base of limited) await mkdir(join(base, path), { recursive: true })
    },
    async set(path, { cpuMilli, cpuLimitMilli, memoryBytes, pids }) {
      if (cpuMilli !== undefined) await write('cpu', path, 'cpu.shares', String(cpuShares(cpuMilli)))
      if (cpuLimitMilli !== undefined) {
        await write('cpu', path, 'cpu.cfs_period_us', String(quotaPeriod))
        await write('cpu', path, 'cpu.cfs_quota_us', String(cpuLimitMilli > 0 ? cpuQuota(cpuLimitMilli) : -1))
      }
      if (memoryBytes !== undefined) {
        await write('memory', path, 'memory.limit_in_bytes', String(memoryBytes > 0 ? memoryBytes : -1))
      }
      if (pids !== undefined) await write('pids', path, 'pids.max', pids > 0 ? String(pids) : 'max')
    },
  }
}

function unifiedTree(mount: string): Hierarchy {
  const enabled = new Set<string>()
  const enable = async (directory: string): Promise<void> => {
    if (enabled.has(directory)) return
    enabled.add(directory)
    // One at a time: a controller that is not there must not keep the others away.
    for (const name of ['cpu', 'cpuset', 'io', 'memory', 'pids', 'hugetlb']) {
      await writeFile(join(directory, 'cgroup.subtree_control'), `+${name}`).catch(() => undefined)
    }
  }
  return {
    version: 2,
    directories: (path) => [join(mount, path)],
    async make(path) {
      let directory = mount
      for (const part of path.split('/').filter(Boolean)) {
        await enable(directory)
        directory = join(directory, part)
        await mkdir(directory, { recursive: true })
      }
    },
    async set(path, { cpuMilli, cpuLimitMilli, memoryBytes, pids }) {
      const write = (file: string, value: string) => writeFile(join(mount, path, file), value)
      if (cpuMilli !== undefined) await write('cpu.weight', String(cpuWeight(cpuShares(cpuMilli))))
      if (cpuLimitMilli !== undefined) {
        const quota = cpuLimitMilli > 0 ? String(cpuQuota(cpuLimitMilli)) : 'max'
        await write('cpu.max', `${quota} ${quotaPeriod}`)
      }
      if (memoryBytes !== undefined) await write('memory.max', memoryBytes > 0 ? String(memoryBytes) : 'max')
      if (pids !== undefined) await write('pids.max', pids > 0 ? String(pids) : 'max')
    },
  }
}

const removalTries = 20
const removalPauseMs = 25

/** Removes a group and those below it; what still runs in them is killed. */
async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => undefined)
  if (!entries) return
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(directory, entry.name))
  for (let attempt = 0; attempt < removalTries; attempt++) {
    try {
      await rmdir(directory)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (code !== 'EBUSY') throw error
    }
    const processes = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '')
    for (const pid of processes.split('\n').filter(Boolean)) kill(Number(pid))
    await new Promise((resolve) => setTimeout(resolve, removalPauseMs))
  }
  throw new Error(`the cgroup ${directory} does not become empty`)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone by itself.
  }
}
