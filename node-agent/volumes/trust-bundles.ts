import type { ClusterTrustBundleProjection } from '../../api/generated/types.ts'
import { labelSelectorMatches } from '../../api/machinery/labels.ts'
import { isNotFound } from '../../client/errors.ts'
import type { Live, ResourceRef } from '../../client/types.ts'
import type { Contents } from './contents.ts'
import { privateTo } from './fs-group.ts'
import type { VolumeContext } from './types.ts'

interface ClusterTrustBundle {
  spec: { signerName?: string; trustBundle: string }
}

/** Served by API servers that have the gate of this name on, as upstream's can be started. */
export const clusterTrustBundles: ResourceRef<ClusterTrustBundle> = {
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  plural: 'clustertrustbundles',
  kind: 'ClusterTrustBundle',
  namespaced: false,
}

/** Bundles are read, not watched: they change once in years, and then everybody has them a minute later. */
const rereadMs = 60_000

/** The certificates of trust bundles as one file: of the one named, or of all that a signer has signed. */
export async function trustBundleFile(
  source: ClusterTrustBundleProjection,
  defaultMode: number,
  context: VolumeContext,
): Promise<Contents> {
  const { pod, clock } = context
  const bundles = await bundlesOf(source, context)
  const data = Buffer.from(normalized(bundles.map(({ spec }) => spec.trustBundle)))
  const file = { data, ...privateTo(pod, defaultMode) }
  return { files: new Map([[source.path, file]]), refreshAt: clock.now() + rereadMs }
}

async function bundlesOf(
  { name, signerName, labelSelector, optional = false }: ClusterTrustBundleProjection,
  { api }: VolumeContext,
): Promise<Live<ClusterTrustBundle>[]> {
  if (name) {
    try {
      return [await api.get(clusterTrustBundles, { name })]
    } catch (error) {
      if (isNotFound(error) && optional) return []
      throw new Error(`while getting ClusterTrustBundle: ${(error as Error).message}`)
    }
  }
  if (!signerName) throw new Error('ClusterTrustBundle projection requires either name or signerName to be set')
  const { items } = await api.list(clusterTrustBundles)
  // Without a selector none, with an empty one all.
  const found = items.filter(
    ({ metadata, spec }) =>
      spec.signerName === signerName && labelSelector && labelSelectorMatches(labelSelector, metadata.labels ?? {}),
  )
  if (found.length === 0 && !optional) {
    throw new Error('combination of signerName and labelSelector matched zero ClusterTrustBundles')
  }
  return found
}

/** Each certificate once, without what stands between them, in an order that does not depend on whose they are. */
function normalized(texts: readonly string[]): string {
  const blocks = texts.flatMap((text) => [
    ...text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g),
  ])
  const bodies = new Set(blocks.map(([, body = '']) => body.replace(/\s+/g, '')))
  return [...bodies]
    .sort()
    .map((body) => `-----BEGIN CERTIFICATE-----\n${body.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`)
    .join('')
}
