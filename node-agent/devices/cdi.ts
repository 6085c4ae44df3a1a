import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { ContainerConfig, Given, Mount } from '../runtime/cri.ts'

/** Where drivers describe their devices, the later over the earlier. */
const directories = ['/etc/cdi', '/var/run/cdi']

/** What a container needs of its devices, in the runtime's terms. */
export interface DeviceEdits {
  envs: { key: string; value: string }[]
  devices: Given<ContainerConfig>['devices'] & object
  mounts: Given<Mount>[]
}

interface Edits {
  env?: string[]
  deviceNodes?: { path: string; hostPath?: string; permissions?: string }[]
  mounts?: { hostPath: string; containerPath: string; options?: string[] }[]
  hooks?: unknown[]
}

interface Spec {
  kind: string
  containerEdits?: Edits
  devices?: { name: string; containerEdits?: Edits }[]
}

/** Whether a runtime looks devices up itself: containerd does from 1.7 on. */
export function resolvesCdi({ name, version }: { name: string; version: string }): boolean {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  return name === 'containerd' && (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 7))
}

/**
 * Looks devices (`vendor.com/class=name`) up for a runtime that does not. Throws an Error for one that is not described, or
 * that needs what only the runtime can do.
 */
export async function lookUpCdi(names: readonly string[], from: readonly string[] = directories): Promise<DeviceEdits> {
  const specs = (await Promise.all(from.map(readSpecs))).flat()
  const edits = names.flatMap((name) => {
    const [kind, device] = name.split('=')
    const spec = specs.findLast((each) => each.kind === kind && each.devices?.some((one) => one.name === device))
    if (!spec) throw new Error(`CDI device injection failed: unresolvable CDI devices ${name}`)
    const own = spec.devices?.find((one) => one.name === device)?.containerEdits ?? {}
    return [spec.containerEdits ?? {}, own]
  })
  // What several devices of one kind have in common is done once.
  const all = [...new Set(edits)]
  if (all.some(({ hooks }) => hooks?.length)) {
    throw new Error(`devices ${names.join(', ')} need hooks, for which containerd 1.7 or later is needed`)
  }
  return {
    envs: all.flatMap(({ env = [] }) => env.map(variableOf)),
    devices: all.flatMap(({ deviceNodes = [] }) =>
      deviceNodes.map(({ path, hostPath = path, permissions = 'rwm' }) => ({
        containerPath: path,
        hostPath,
        permissions,
      })),
    ),
    mounts: all.flatMap(({ mounts = [] }) =>
      mounts.map(({ hostPath, containerPath, options = [] }) => ({
        hostPath,
        containerPath,
        readonly: options.includes('ro'),
      })),
    ),
  }
}

function variableOf(text: string): { key: string; value: string } {
  const at = text.indexOf('=')
  return at < 0 ? { key: text, value: '' } : { key: text.slice(0, at), value: text.slice(at + 1) }
}

async function readSpecs(directory: string): Promise<Spec[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = names.filter((name) => /\.(json|ya?ml)$/.test(name)).sort()
  return Promise.all(files.map(async (name) => parse(await readFile(join(directory, name), 'utf8')) as Spec))
}
