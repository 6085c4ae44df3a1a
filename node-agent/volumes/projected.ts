import type { VolumeProjection } from '../../api/generated/types.ts'
import { type Contents, contentVolume } from './contents.ts'
import { configMapFiles, defaultFileMode, downwardFiles, secretFiles, tokenFile } from './sources.ts'
import { trustBundleFile } from './trust-bundles.ts'
import type { VolumeContext } from './types.ts'

/** Several sources in one directory; later ones win. */
export const projected = contentVolume({
  name: 'kubernetes.io~projected',
  inMemory: true,
  handles: ({ volume }) => volume.projected !== undefined,
  async contents({ projected: source = {} }, context) {
    const mode = source.defaultMode ?? defaultFileMode
    const parts = await Promise.all((source.sources ?? []).map((part) => contentsOf(part, mode, context)))
    const due = parts.flatMap(({ refreshAt }) => refreshAt ?? [])
    const files = new Map(parts.flatMap((part) => [...part.files]))
    return due.length > 0 ? { files, refreshAt: Math.min(...due) } : { files }
  },
})

async function contentsOf(part: VolumeProjection, mode: number, context: VolumeContext): Promise<Contents> {
  if (part.configMap) return { files: await configMapFiles(part.configMap, mode, context) }
  if (part.secret) return { files: await secretFiles(part.secret, mode, context) }
  if (part.downwardAPI) return { files: downwardFiles(part.downwardAPI.items ?? [], mode, context) }
  if (part.serviceAccountToken) return tokenFile(part.serviceAccountToken, mode, context)
  if (part.clusterTrustBundle) return trustBundleFile(part.clusterTrustBundle, mode, context)
  throw new Error(`projected source ${JSON.stringify(Object.keys(part))} is not supported by this node`)
}
