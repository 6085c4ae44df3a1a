import { MountFailure, type VolumeSpec } from './types.ts'

/** Why a pod's volumes are not ready, in upstream's words; `reason` is the event's. */
export class VolumeError extends Error {
  readonly reason: 'FailedMount' | 'FailedMapVolume'

  constructor(reason: VolumeError['reason'], message: string) {
    super(message)
    this.name = 'VolumeError'
    this.reason = reason
  }
}

/** One volume could not be made ready. */
export function mountError({ name, mode }: Pick<VolumeSpec, 'name' | 'mode'>, cause: unknown): VolumeError {
  const usual = mode === 'Block' ? 'MapVolume.SetUpDevice' : 'MountVolume.SetUp'
  const step = cause instanceof MountFailure ? cause.step : usual
  const why = cause instanceof Error ? cause.message : String(cause)
  const reason = mode === 'Block' ? 'FailedMapVolume' : 'FailedMount'
  return new VolumeError(reason, `${step} failed for volume "${name}" : ${why}`)
}

/** Some volumes are not there and perhaps will be: `failed` of the `unmounted` ones cannot even be looked for. */
export function notReadyError(unmounted: readonly string[], failed: readonly string[], why: string): VolumeError {
  const list = (names: readonly string[]): string => `[${[...names].sort().join(' ')}]`
  const facts = `unmounted volumes=${list(unmounted)}, unattached volumes=[], failed to process volumes=${list(failed)}`
  return new VolumeError('FailedMount', `Unable to attach or mount volumes: ${facts}: ${why}`)
}
