import { mkdir, readdir, readFile, realpath, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ISCSIPersistentVolumeSource, ISCSIVolumeSource } from '../../api/generated/types.ts'
import { formatAndMount } from './block-device.ts'
import { fsGroupOf, giveToGroup } from './fs-group.ts'
import { isMountPoint, otherMountsOf } from './mount-points.ts'
import { bind, command, unmountAll } from './mounting.ts'
import { namesIn } from './places.ts'
import { Turns } from './turns.ts'
import { MountFailure, type VolumeContext, type VolumePlace, type VolumePlugin, type VolumeSpec } from './types.ts'
import { fileSystemUsage } from './usage.ts'

/** What leads to one disk of an iSCSI target; kept beside where it is mounted, for who has to let it go. */
interface Lun {
  portals: readonly string[]
  iqn: string
  lun: number
  interface: string
}

type Secret = Readonly<Record<string, string>>

/** Logging in to a target, and out of it, are the node's affair: all volumes of a target share the session. */
const turns = new Turns()

/**
 * A disk of an iSCSI target, mounted once for all pods of the node. The kernel's initiator is driven by `iscsiadm`;
 * `devices` is where udev names disks by their path.
 */
export const iscsiVolume = ({ devices = '/dev/disk/by-path', waitMs = 10_000 } = {}): VolumePlugin => ({
  name: 'kubernetes.io~iscsi',
  handles: (spec) => sourceOf(spec) !== undefined,
  async mount(spec, context) {
    const source = sourceOf(spec)
    const { directory, pod, mayMount } = context
    const group = fsGroupOf(pod)
    const readOnly = source?.readOnly ?? false
    const mounted = { hostPath: directory, readOnly, ownedByPod: group !== undefined && !readOnly }
    if (!source || !mayMount) throw new Error('this node may not mount disks')
    if (spec.mode === 'Block') throw new Error('this node gives iSCSI disks to pods as file systems only')
    if (await isMountPoint(directory)) return mounted
    const lun = lunOf(source)
    await turns.take(lun.iqn, async () => {
      await mkdir(directory, { recursive: true, mode: 0o750 })
      const shared = sharedPlace(context, lun)
      await attach(lun, shared, { source, context, devices, waitMs, spec })
      const isFirst = (await otherMountsOf(shared)).length === 0
      await bind(directory, shared, { readOnly })
      if (group !== undefined && isFirst && !readOnly) {
        await giveToGroup(directory, group, pod.spec.securityContext?.fsGroupChangePolicy)
      }
    })
    return mounted
  },
  usage: (_, __, { hostPath }) => fileSystemUsage(hostPath),
  async unmount({ directory, pluginsDirectory }) {
    await unmountAll(directory)
    // Whichever it was, and what an agent that was killed has left half done.
    for (const { shared, lun } of await attachedDisks(join(pluginsDirectory, 'kubernetes.io', 'iscsi'))) {
      await turns.take(lun.iqn, async () => {
        if (!(await isMountPoint(shared)) || (await otherMountsOf(shared)).length === 0) await detach(lun, shared)
      })
    }
  },
})

const sourceOf = ({ volume, persistent }: VolumeSpec): ISCSIVolumeSource | ISCSIPersistentVolumeSource | undefined =>
  persistent ? persistent.volume.spec?.iscsi : volume.iscsi

function lunOf({
  targetPortal,
  portals = [],
  iqn,
  lun,
  iscsiInterface,
}: ISCSIVolumeSource | ISCSIPersistentVolumeSource): Lun {
  const all = [targetPortal, ...portals].map((portal) => (/:\d+$/.test(portal) ? portal : `${portal}:3260`))
  return { portals: [...new Set(all)], iqn, lun, interface: iscsiInterface || 'default' }
}

const sharedPlace = ({ pluginsDirectory }: VolumePlace, { interface: name, portals, iqn, lun }: Lun): string =>
  join(pluginsDirectory, 'kubernetes.io', 'iscsi', `iface-${name}`, `${portals[0]}-${iqn}-lun-${lun}`)

/** What is attached by what was written down about it. */
async function attachedDisks(folder: string): Promise<{ shared: string; lun: Lun }[]> {
  const interfaces = (await namesIn(folder)).map((name) => join(folder, name))
  const lists = await Promise.all(interfaces.map(async (path) => (await namesIn(path)).map((name) => join(path, name))))
  const records = lists.flat().filter((path) => /-lun-\d+\.json$/.test(path))
  return Promise.all(
    records.map(async (path) => ({
      shared: path.slice(0, -'.json'.length),
      lun: JSON.parse(await readFile(path, 'utf8')) as Lun,
    })),
  )
}

interface Attachment {
  source: ISCSIVolumeSource | ISCSIPersistentVolumeSource
  context: VolumeContext
  spec: VolumeSpec
  devices: string
  waitMs: number
}

async function attach(lun: Lun, shared: string, attachment: Attachment): Promise<void> {
  if (await isMountPoint(shared)) return
  const { source, spec } = attachment
  await mkdir(shared, { recursive: true, mode: 0o750 })
  await writeFile(`${shared}.json`, JSON.stringify(lun), { mode: 0o600 })
  try {
    const secret = await secretOf(attachment)
    for (const portal of lun.portals) await logIn(lun, portal, source, secret)
    const device = await appearing(lun, attachment)
    await formatAndMount(device, shared, {
      ...(source.fsType ? { fsType: source.fsType } : {}),
      options: spec.persistent?.volume.spec?.mountOptions ?? [],
      readOnly: source.readOnly ?? false,
    })
  } catch (error) {
    throw new MountFailure('MountVolume.MountDevice', error instanceof Error ? error.message : String(error))
  }
}

async function secretOf({ source, context, spec }: Attachment): Promise<Secret> {
  const { name, namespace } = (source.secretRef ?? {}) as { name?: string; namespace?: string }
  if (!name || !(source.chapAuthDiscovery || source.chapAuthSession)) return {}
  const home = namespace || spec.persistent?.claim.metadata.namespace || context.pod.metadata.namespace
  const secret = await context.objects.secret(home, name)
  if (!secret) throw new Error(`secret "${name}" not found`)
  const entries = Object.entries(secret.data ?? {})
  return Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]))
}

async function logIn(
  { iqn, interface: name }: Lun,
  portal: string,
  { chapAuthDiscovery, chapAuthSession }: ISCSIVolumeSource | ISCSIPersistentVolumeSource,
  secret: Secret,
): Promise<void> {
  const discovery = ['-m', 'discoverydb', '-t', 'sendtargets', '-p', portal, '-I', name]
  const target = ['-m', 'node', '-p', portal, '-T', iqn, '-I', name]
  await iscsiadm([...discovery, '-o', 'new'])
  if (chapAuthDiscovery) await authenticate(discovery, 'discovery.sendtargets.auth.', secret)
  await iscsiadm([...discovery, '--discover'])
  if (chapAuthSession) await authenticate(target, 'node.session.auth.', secret)
  // Fifteen: there is a session already.
  await iscsiadm([...target, '--login'], [15])
  await iscsiadm([...target, '-o', 'update', '-n', 'node.startup', '-v', 'manual'])
}

async function authenticate(where: readonly string[], prefix: string, secret: Secret): Promise<void> {
  const settings = Object.entries(secret).filter(([key]) => key.startsWith(prefix))
  for (const [key, value] of [[`${prefix}authmethod`, 'CHAP'] as const, ...settings]) {
    await iscsiadm([...where, '-o', 'update', '-n', key, '-v', value])
  }
}

/** The disk, when udev has named it. */
async function appearing({ portals, iqn, lun }: Lun, { context, devices, waitMs }: Attachment): Promise<string> {
  const { clock, signal } = context
  const names = portals.map((portal) => `ip-${portal}-iscsi-${iqn}-lun-${lun}`)
  for (let waited = 0; waited <= waitMs; waited += 250) {
    const present = await readdir(devices).catch(() => [] as string[])
    const name = names.find((candidate) => present.includes(candidate))
    if (name !== undefined) return realpath(join(devices, name))
    await clock.sleep(250, signal)
  }
  throw new Error(`Could not attach disk: Timeout after ${waitMs / 1000}s: ${names.join(', ')} did not appear`)
}

/** Unmounts the disk and, with the last disk of its target, ends the session. */
async function detach(lun: Lun, shared: string): Promise<void> {
  await unmountAll(shared)
  const siblings = (await readdir(dirname(shared))).filter((name) => name.includes(`-${lun.iqn}-lun-`))
  const mounted = await Promise.all(siblings.map((name) => isMountPoint(join(dirname(shared), name))))
  if (!mounted.includes(true)) {
    for (const portal of lun.portals) {
      const target = ['-m', 'node', '-p', portal, '-T', lun.iqn, '-I', lun.interface]
      // Twenty-one: there is no session any more, and nothing is known of it.
      await iscsiadm([...target, '--logout'], [21])
      await iscsiadm([...target, '-o', 'delete'], [21])
    }
  }
  await rm(`${shared}.json`, { force: true })
  await rmdir(shared).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function iscsiadm(args: readonly string[], fine: readonly number[] = []): Promise<void> {
  try {
    await command('iscsiadm', args)
  } catch (error) {
    const code = Number(/exit status (\d+)/.exec((error as Error).message)?.[1])
    if (fine.includes(code)) return
    // The arguments are left out of what is told: a password is among them.
    const said = (error as Error).message.replace(/\nArguments: .*/, '')
    throw new Error(
      said.includes('not installed') ? `${said} (package open-iscsi): it cannot attach iSCSI disks` : said,
    )
  }
}
