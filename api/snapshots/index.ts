import type { Resource } from '../machinery/resource.ts'
import { volumeSnapshots } from './volumesnapshot.ts'
import { volumeSnapshotClasses } from './volumesnapshotclass.ts'
import { volumeSnapshotContents } from './volumesnapshotcontent.ts'

/** The kinds that elsewhere come with the external snapshotter, as custom resources. */
export const snapshotResources: readonly Resource[] = [volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots]
