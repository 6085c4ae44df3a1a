import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { RuntimeKind } from './settings.ts'

/** Programs that nodes with containerd need, by the Debian package that brings them. */
export const nodePrograms = {
  containerd: 'containerd',
  runc: 'runc',
  nft: 'nftables',
  conntrack: 'conntrack',
  ip: 'iproute2',
} as const

/** Where distributions put the CNI plugins. */
const cniDirs = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni']

export interface Machine {
  platform: NodeJS.Platform
  root: boolean
  has: (program: string) => boolean
  cniBinDir: string | undefined
}

/** What the machine has. */
export function thisMachine(): Machine {
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    has: (program) => findProgram(program) !== undefined,
    cniBinDir: cniDirs.find((dir) => existsSync(join(dir, 'bridge'))),
  }
}

/** Which runtime can be had, and if it is not containerd, why, in a few words. */
export function chooseRuntime(machine: Machine): { runtime: RuntimeKind; why?: string } {
  const process = (why: string) => ({ runtime: 'process' as const, why })
  if (machine.platform !== 'linux') return process('containerd needs Linux')
  if (!machine.root) return process('containerd needs root')
  const missing: string[] = Object.entries(nodePrograms).flatMap(([program, name]) =>
    machine.has(program) ? [] : [name],
  )
  if (machine.cniBinDir === undefined) missing.push('containernetworking-plugins')
  return missing.length > 0 ? process(`not installed: ${missing.join(', ')}`) : { runtime: 'containerd' }
}

/** The path of a program, as a shell would find it. Administrators' directories count even when PATH lacks them. */
export function findProgram(name: string): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return dirs.map((dir) => join(dir, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
