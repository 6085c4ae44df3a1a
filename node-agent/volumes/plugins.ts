import { configMap } from './config-map.ts'
import { downwardApi } from './downward-api.ts'
import { emptyDir } from './empty-dir.ts'
import { hostPath } from './host-path.ts'
import { iscsiVolume } from './iscsi.ts'
import { local } from './local.ts'
import { nfs } from './nfs.ts'
import { projected } from './projected.ts'
import { secret } from './secret.ts'
import type { VolumePlugin } from './types.ts'

/** Every kind of volume that a node can provide by itself. */
export const volumePlugins: readonly VolumePlugin[] = [
  emptyDir,
  hostPath,
  configMap,
  secret,
  projected,
  downwardApi,
  local,
  nfs,
  iscsiVolume(),
]
