import type { VolumeAttributesClass } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

/** Why a driver cannot give a volume the attributes of the class, in the words of upstream's provisioner. */
export function attributesFault(
  { metadata, driverName = '' }: Live<VolumeAttributesClass>,
  driver: string,
  capabilities: ReadonlySet<string>,
): string | undefined {
  if (driverName !== driver) {
    return `VAC ${metadata.name} referenced in PVC is for driver ${driverName} which does not match driver name ${driver}`
  }
  if (capabilities.has('MODIFY_VOLUME')) return undefined
  return 'CSI driver does not support VolumeAttributesClass: controller MODIFY_VOLUME capability is not reported'
}
