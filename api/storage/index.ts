import type { Resource } from '../machinery/resource.ts'
import { csiDrivers } from './csidriver.ts'
import { csiNodes } from './csinode.ts'
import { csiStorageCapacities } from './csistoragecapacity.ts'
import { isDefaultClass, storageClasses } from './storageclass.ts'
import { volumeAttachments } from './volumeattachment.ts'
import { volumeAttributesClasses } from './volumeattributesclass.ts'

export {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  isDefaultClass,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
}
export const storageResources: readonly Resource[] = [
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
]
