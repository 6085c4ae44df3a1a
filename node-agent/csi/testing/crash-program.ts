/**
 * Makes, mounts, copies, unmounts and deletes one volume of a driver of ours, as an agent and a controller do together, and is
 * killed at one of the calls: `DRIVER DIRECTORY STEPS [CALL before|after]`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../client/clock.ts'
import { csiDrivers } from '../../../client/resources.ts'
import { usableDrivers } from '../built-in.ts'
import type { CallOptions } from '../client.ts'
import { CsiDrivers } from '../drivers.ts'
import { VolumesRig } from './volumes-rig.ts'

const [driver = '', directory = '', list = '', killAt = '', when = ''] = process.argv.slice(2)
const steps = list.split(',')

/** Drivers that end this process before or after a call. */
class DeadlyDrivers extends CsiDrivers {
  #calls = 0

  override async call<T>(name: string, method: string, request: object, options: CallOptions): Promise<T> {
    const isIt = ++this.#calls === Number(killAt)
    if (isIt && when === 'before') process.kill(process.pid, 'SIGKILL')
    const answer = await super.call<T>(name, method, request, options)
    if (isIt) process.kill(process.pid, 'SIGKILL')
    return answer
  }
}

const drivers = new DeadlyDrivers()
for (const known of await usableDrivers(true)) {
  drivers.addBuiltIn(known, { pluginsDirectory: join(directory, 'plugins'), nodeName: 'n1', mayMount: true })
}
const rig = new VolumesRig({ directory, clock: systemClock, mayMount: true, drivers })
await rig.api.create(csiDrivers, { metadata: { name: driver }, spec: { attachRequired: false } })
const spec = await rig.claim(driver, { handle: 'disk' })
const options = { timeoutMs: 30_000 }

const wanted = {
  capacityRange: { requiredBytes: String(16 * 1024 * 1024) },
  volumeCapabilities: [{ mount: {}, accessMode: { mode: 'SINGLE_NODE_WRITER' } }],
}
const call = (method: string, request: object) => drivers.call(driver, method, request, options)

if (steps.includes('create')) await call('CreateVolume', { name: 'disk', ...wanted })
if (steps.includes('mount')) {
  const { hostPath } = await rig.mount(spec)
  writeFileSync(join(hostPath, 'note'), 'kept')
}
if (steps.includes('snapshot')) await call('CreateSnapshot', { name: 'then', sourceVolumeId: 'disk' })
if (steps.includes('restore')) {
  const volumeContentSource = { snapshot: { snapshotId: 'then' } }
  await call('CreateVolume', { name: 'again', ...wanted, volumeContentSource })
}
if (steps.includes('unmount')) await rig.unmount(spec)
if (steps.includes('forget')) {
  await call('DeleteSnapshot', { snapshotId: 'then' })
  await call('DeleteVolume', { volumeId: 'again' })
}
if (steps.includes('delete')) await call('DeleteVolume', { volumeId: 'disk' })
process.exit(0)
