import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { boundPod } from '../testing/builders.ts'
import { mayMount, persistentSpec, VolumeRig } from '../testing/volumes.ts'
import { iscsiVolume } from './iscsi.ts'
import { isMountPoint, mountPointsBelow } from './mount-points.ts'
import { unmountAll } from './mounting.ts'

const iqn = 'iqn.2001-04.com.example:storage'

const volume = (lun = 0, more: object = {}) =>
  persistentSpec(`pv-${lun}`, { iscsi: { targetPortal: '192.0.2.9', iqn, lun, ...more } })

describe.runIf(mayMount)('a disk of an iSCSI target', () => {
  let rig: VolumeRig
  const path = process.env.PATH

  beforeEach(() => {
    rig = new VolumeRig()
    mkdirSync(join(rig.directory, 'by-path'))
  })
  afterEach(async () => {
    process.env.PATH = path
    await rig.close()
  })

  /** Stands for the kernel's initiator: writes down what it is asked, and has the disk from the start. */
  const initiator = (luns = 1) => {
    const bin = join(rig.directory, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'iscsiadm'), `#!/bin/sh\necho "$@" >> ${join(rig.directory, 'asked')}\n`)
    chmodSync(join(bin, 'iscsiadm'), 0o755)
    process.env.PATH = `${bin}:${path}`
    for (let lun = 0; lun < luns; lun++) {
      symlinkSync(rig.disk(), join(rig.directory, 'by-path', `ip-192.0.2.9:3260-iscsi-${iqn}-lun-${lun}`))
    }
  }
  const asked = () => readFileSync(join(rig.directory, 'asked'), 'utf8').trim().split('\n')
  const plugin = () => iscsiVolume({ devices: join(rig.directory, 'by-path'), waitMs: 0 })
  const pod = (uid: string) => boundPod({ uid })

  it('is attached once for all pods, and the session ends with the last disk of the target', async () => {
    initiator(2)
    const iscsi = plugin()
    const contexts = [
      rig.contextFor(iscsi, volume(0), pod('one')),
      rig.contextFor(iscsi, volume(0), pod('two')),
      rig.contextFor(iscsi, volume(1), pod('two')),
    ] as const
    const { hostPath } = await iscsi.mount(volume(0), contexts[0])
    const target = `-m node -p 192.0.2.9:3260 -T ${iqn} -I default`
    expect(asked()).toEqual([
      '-m discoverydb -t sendtargets -p 192.0.2.9:3260 -I default -o new',
      '-m discoverydb -t sendtargets -p 192.0.2.9:3260 -I default --discover',
      `${target} --login`,
      `${target} -o update -n node.startup -v manual`,
    ])
    writeFileSync(join(hostPath, 'file'), 'shared')
    await iscsi.mount(volume(0), contexts[1])
    expect(readFileSync(join(contexts[1].directory, 'file'), 'utf8')).toBe('shared')
    await iscsi.mount(volume(1), contexts[2])
    const before = asked().length
    await iscsi.unmount?.(contexts[0])
    await iscsi.unmount?.(contexts[1])
    expect(await isMountPoint(contexts[1].directory)).toBe(false)
    expect(asked().length).toBe(before)
    await iscsi.unmount?.(contexts[2])
    await iscsi.unmount?.(contexts[2])
    expect(asked().slice(before)).toEqual([`${target} --logout`, `${target} -o delete`])
    expect(
      existsSync(join(rig.directory, 'plugins/kubernetes.io/iscsi/iface-default', `192.0.2.9:3260-${iqn}-lun-1`)),
    ).toBe(false)
  })

  it('is logged in to with the secret, which is told to nobody', async () => {
    initiator()
    const iscsi = plugin()
    const spec = volume(0, { chapAuthSession: true, secretRef: { name: 'chap', namespace: 'storage' } })
    const data = { 'node.session.auth.password': Buffer.from('hush').toString('base64') }
    const objects = {
      ...rig.contextFor(iscsi, spec).objects,
      secret: async () => ({ metadata: { name: 'chap' }, data }),
    }
    await iscsi.mount(spec, { ...rig.contextFor(iscsi, spec), objects })
    expect(
      asked()
        .filter((line) => line.includes('auth'))
        .map((line) => line.split(' -n ')[1]),
    ).toEqual(['node.session.auth.authmethod -v CHAP', 'node.session.auth.password -v hush'])
    writeFileSync(
      join(rig.directory, 'bin/iscsiadm'),
      '#!/bin/sh\ncase "$*" in *password*) echo refused >&2; exit 7;; esac\n',
    )
    const { persistent } = volume(
      5,
      spec.persistent?.volume.spec?.iscsi && { ...spec.persistent.volume.spec.iscsi, lun: 5 },
    )
    const other = { ...spec, name: 'pv-5', ...(persistent ? { persistent } : {}) }
    const why = await iscsi
      .mount(other, { ...rig.contextFor(iscsi, other), objects })
      .catch((error: Error) => error.message)
    expect(why).toContain('refused')
    expect(why).not.toContain('hush')
  })

  it('that an agent has attached and not got to mounting for its pod is let go with the pod', async () => {
    initiator()
    const iscsi = plugin()
    const context = rig.contextFor(iscsi, volume())
    await iscsi.mount(volume(), context)
    // As if killed before the last step.
    await unmountAll(context.directory)
    await iscsi.unmount?.(context)
    expect(asked().at(-2)).toContain('--logout')
    expect(await mountPointsBelow(join(rig.directory, 'plugins'))).toEqual([])
  })

  it('that does not appear is said to be missing', async () => {
    initiator(0)
    const iscsi = plugin()
    const mounting = iscsi.mount(volume(), rig.contextFor(iscsi, volume()))
    const outcome = expect(mounting).rejects.toMatchObject({
      step: 'MountVolume.MountDevice',
      message: expect.stringContaining('did not appear'),
    })
    await expect.poll(() => rig.clock.sleeping).toBe(1)
    await rig.clock.advance(250)
    await outcome
  })

  it('cannot be attached where the node lacks the program, which is said', async () => {
    process.env.PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
    if (['/sbin', '/usr/sbin', '/bin', '/usr/bin'].some((folder) => existsSync(`${folder}/iscsiadm`))) return
    const iscsi = plugin()
    await expect(iscsi.mount(volume(), rig.contextFor(iscsi, volume()))).rejects.toThrow(
      'iscsiadm is not installed on this node (package open-iscsi): it cannot attach iSCSI disks',
    )
  })
})
