import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { podQOS } from '../../api/core/pod-qos.ts'
import type { Logger } from '../../client/logger.ts'
import { podLimits, podRequests } from '../pods/resources.ts'
import type { BoundPod } from '../pods/types.ts'
import type { PodBounds } from '../resize/plan.ts'
import { cpuQuota, cpuShares, cpuWeight, quotaPeriod } from './resources.ts'

/** The tree of groups that pods live in: `kubepods`, below it `burstable` and `besteffort`, below them one a pod. */
export interface PodCgroups {
  readonly version: 1 | 2
  /** What the runtime is told: `/kubepods/burstable/pod<uid>`. */
  parentOf(pod: BoundPod): string
  /** Makes the pod's group with its limits, where it is not there. */
  ensure(pod: BoundPod): Promise<void>
  /** What the group is to be held to. */
  boundsOf(pod: BoundPod): PodBounds
  /** What it is held to, and what memory it uses; undefined: there is no such group. */
  read(pod: BoundPod): Promise<(PodBounds & { memoryInUse: number | undefined }) | undefined>
  /** Changes some of it. */
  bind(pod: BoundPod, bounds: Partial<PodBounds>): Promise<void>
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
    await tree.set(top, { cpuShare: tree.share(cores * 1000) })
    await tree.set(join(top, 'besteffort'), { cpuShare: tree.share(0) })
  } catch (error) {
    log.warn({ err: error }, 'pods get no cgroup of their own: this process may not make any')
    return undefined
  }
  return new Tree(tree, top, options.pidsLimit)
}

interface Limits extends Partial<PodBounds> {
  pids?: number
}

interface Hierarchy {
  readonly version: 1 | 2
  /** Answers whether it was not there. */
  make(path: string): Promise<boolean>
  /** In this hierarchy's numbers. */
  share(cpuMilli: number): number
  read(path: string): Promise<(PodBounds & { memoryInUse: number | undefined }) | undefined>
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
    // One that is there is changed by a resize alone, which knows the order.
    if (await this.#tree.make(path)) await this.#tree.set(path, { ...this.boundsOf(pod), pids: this.#pidsLimit })
    await this.#count(pod)
  }

  boundsOf({ spec }: BoundPod): PodBounds {
    const limits = podLimits(spec)
    return {
      cpuShare: this.#tree.share(podRequests(spec).get('cpu') ?? 0),
      cpuQuota: cpuQuota(limits.get('cpu') ?? 0),
      // The kernel counts in pages.
      memoryBytes: Math.floor((limits.get('memory') ?? 0) / pageBytes) * pageBytes,
    }
  }

  read(pod: BoundPod): Promise<(PodBounds & { memoryInUse: number | undefined }) | undefined> {
    return this.#tree.read(this.parentOf(pod))
  }

  async bind(pod: BoundPod, bounds: Partial<PodBounds>): Promise<void> {
    await this.#tree.set(this.parentOf(pod), bounds)
    if (bounds.cpuShare !== undefined) await this.#count(pod)
  }

  /** The group of all burstable pods weighs as much as they ask for together. */
  async #count(pod: BoundPod): Promise<void> {
    const cpuMilli = podRequests(pod.spec).get('cpu') ?? 0
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
    await this.#tree.set(join(this.#top, 'burstable'), { cpuShare: this.#tree.share(cpuMilli) })
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
  const number = async (controller: string, path: string, file: string): Promise<number | undefined> => {
    const base = of(controller)
    return base === undefined ? undefined : readNumber(join(base, path, file))
  }
  return {
    version: 1,
    directories: (path) => [...mounts.values()].map((base) => join(base, path)),
    async make(path) {
      if (limited.length === 0) throw new Error(`no cgroups under ${mount}`)
      let made = false
      for (const base of limited) {
        if ((await mkdir(join(base, path), { recursive: true })) !== undefined) made = true
      }
      return made
    },
    share: cpuShares,
    async read(path) {
      const [share, quota, memory, used] = await Promise.all([
        number('cpu', path, 'cpu.shares'),
        number('cpu', path, 'cpu.cfs_quota_us'),
        number('memory', path, 'memory.limit_in_bytes'),
        number('memory', path, 'memory.usage_in_bytes'),
      ])
      if (share === undefined && memory === undefined) return undefined
      return {
        cpuShare: share ?? 0,
        cpuQuota: Math.max(0, quota ?? 0),
        memoryBytes: memory === undefined || memory >= unlimitedBytes ? 0 : memory,
        memoryInUse: used,
      }
    },
    async set(path, { cpuShare, cpuQuota: quota, memoryBytes, pids }) {
      if (cpuShare !== undefined) await write('cpu', path, 'cpu.shares', String(cpuShare))
      if (quota !== undefined) {
        await write('cpu', path, 'cpu.cfs_period_us', String(quotaPeriod))
        await write('cpu', path, 'cpu.cfs_quota_us', String(quota > 0 ? quota : -1))
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
      let made = false
      for (const part of path.split('/').filter(Boolean)) {
        await enable(directory)
        directory = join(directory, part)
        made = (await mkdir(directory, { recursive: true })) !== undefined
      }
      return made
    },
    share: (cpuMilli) => cpuWeight(cpuShares(cpuMilli)),
    async read(path) {
      const file = (name: string) => join(mount, path, name)
      const max = await readFile(file('cpu.max'), 'utf8').catch(() => '')
      const [share, memory, used] = await Promise.all(
        ['cpu.weight', 'memory.max', 'memory.current'].map((name) => readNumber(file(name))),
      )
      if (share === undefined) return undefined
      const [quota = NaN, period = quotaPeriod] = max.split(' ').map(Number)
      return {
        cpuShare: share,
        cpuQuota: Number.isNaN(quota) ? 0 : (quota * quotaPeriod) / period,
        memoryBytes: memory ?? 0,
        memoryInUse: used,
      }
    },
    async set(path, { cpuShare, cpuQuota: quota, memoryBytes, pids }) {
      const write = (file: string, value: string) => writeFile(join(mount, path, file), value)
      if (cpuShare !== undefined) await write('cpu.weight', String(cpuShare))
      if (quota !== undefined) await write('cpu.max', `${quota > 0 ? quota : 'max'} ${quotaPeriod}`)
      if (memoryBytes !== undefined) await write('memory.max', memoryBytes > 0 ? String(memoryBytes) : 'max')
      if (pids !== undefined) await write('pids.max', pids > 0 ? String(pids) : 'max')
    },
  }
}

const pageBytes = 4096

/** What the older hierarchy shows where there is no limit: the greatest number of whole pages, or near it. */
const unlimitedBytes = 2 ** 62

/** The number in a file of the kernel's; undefined: no such file, or no number in it, as `max`. */
async function readNumber(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return /^-?\d+\s*$/.test(text) ? Number(text) : undefined
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
