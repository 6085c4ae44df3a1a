import { readFile, statfs } from 'node:fs/promises'
import os from 'node:os'
import type { NodeSystemInfo } from '../../api/generated/types.ts'

/** What this machine is and has. Sizes in bytes. */
export interface Machine {
  cores: number
  memoryBytes: number
  info: Pick<
    NodeSystemInfo,
    'architecture' | 'bootID' | 'kernelVersion' | 'machineID' | 'operatingSystem' | 'osImage' | 'systemUUID'
  >
}

const architectures: Record<string, string> = { x64: 'amd64', ia32: '386' }

/** What `kubernetes.io/arch` calls this machine. */
export const architecture = (): string => architectures[process.arch] ?? process.arch

const firstLine = async (...paths: string[]): Promise<string> => {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text.trim() !== '') return text.trim().split('\n')[0] as string
  }
  return ''
}

export async function readMachine(): Promise<Machine> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const machineID = await firstLine('/etc/machine-id', '/var/lib/dbus/machine-id')
  const boot = await firstLine('/proc/sys/kernel/random/boot_id')
  const uuid = await firstLine('/sys/class/dmi/id/product_uuid')
  return {
    cores: os.cpus().length || 1,
    memoryBytes: os.totalmem(),
    info: {
      architecture: architecture(),
      bootID: boot,
      kernelVersion: os.release(),
      machineID: machineID || boot.replaceAll('-', ''),
      operatingSystem: process.platform,
      osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? os.type(),
      systemUUID: uuid || machineID,
    },
  }
}

/** What is left of what runs out. */
export interface Reserves {
  memoryBytes: number
  memoryAvailableBytes: number
  /** Where pods' directories lie. */
  nodefs: FileSystem
  /** Where images and containers' layers lie; undefined: it is not known yet. */
  imagefs: FileSystem | undefined
  pids: number
  maxPids: number
}

/** One file system, for those who are not root. */
export interface FileSystem {
  bytes: number
  availableBytes: number
  inodes: number
  inodesFree: number
}

/** Where the node's file systems are looked at. */
export interface ReservePlaces {
  nodefs: string
  imagefs: string | undefined
  /** Tells what a file system has. */
  statfs?: typeof statfs
}

/** Looks at memory, at the file systems of the node, and at process numbers. */
export async function readReserves({ nodefs, imagefs, statfs: ask = statfs }: ReservePlaces): Promise<Reserves> {
  const [meminfo, disk, images, load, maxPid] = await Promise.all([
    readFile('/proc/meminfo', 'utf8').catch(() => ''),
    fileSystemOf(nodefs, ask),
    imagefs === undefined ? undefined : fileSystemOf(imagefs, ask),
    firstLine('/proc/loadavg'),
    firstLine('/proc/sys/kernel/pid_max'),
  ])
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1]
  return {
    memoryBytes: os.totalmem(),
    memoryAvailableBytes: available === undefined ? os.freemem() : Number(available) * 1024,
    nodefs: disk,
    imagefs: images,
    pids: Number(load.split(' ')[3]?.split('/')[1] ?? 0),
    maxPids: Number(maxPid) || 32_768,
  }
}

async function fileSystemOf(path: string, ask: typeof statfs): Promise<FileSystem> {
  const { blocks, bavail, bsize, files, ffree } = await ask(path)
  return { bytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree }
}

/** The machine's addresses that others can reach it at, IPv4 first; 127.0.0.1 if it has none. */
export function machineAddresses(): string[] {
  const all = Object.values(os.networkInterfaces()).flatMap((list) => list ?? [])
  const usable = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  const first = (family: string) => usable.find((entry) => entry.family === family)?.address
  const found = [first('IPv4'), first('IPv6')].filter((address) => address !== undefined)
  return found.length > 0 ? found.slice(0, 1) : ['127.0.0.1']
}
