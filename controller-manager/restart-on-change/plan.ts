import { podReferences } from '../../api/core/pod-references.ts'
import type { PodTemplateSpec } from '../../api/generated/types.ts'
import type { ContentKind } from './contents.ts'

/** Digests by what they are of: `configmap/settings`. */
export type Digests = Readonly<Record<string, string>>

export interface RestartPlan {
  /** To be remembered; undefined: as they are remembered. */
  digests: Digests | undefined
  /** What has changed since the pods were started; with any, they are to be started anew. */
  changed: string[]
}

const words: Record<ContentKind, string> = { configmaps: 'configmap', secrets: 'secret' }

/** The config maps and secrets whose contents reach the containers of such pods. */
export function contentsUsed({ metadata, spec }: PodTemplateSpec): { kind: ContentKind; name: string }[] {
  if (!spec) return []
  // What images are pulled with reaches no container.
  const { imagePullSecrets: _, ...rest } = spec
  return [...podReferences({ metadata: { ...metadata }, spec: rest })].flatMap((reference) => {
    const [kind, name = ''] = reference.split(' ')
    return kind === 'configmaps' || kind === 'secrets' ? [{ kind, name }] : []
  })
}

/**
 * Compares what a template uses now with what is remembered. What was not remembered was not there, or not used: its pods
 * start with it anyway. What is gone is remembered until it comes back.
 */
export function planRestart(
  template: PodTemplateSpec,
  remembered: Digests,
  digest: (kind: ContentKind, name: string) => string | undefined,
): RestartPlan {
  const digests: Record<string, string> = {}
  const changed: string[] = []
  for (const { kind, name } of contentsUsed(template)) {
    const key = `${words[kind]}/${name}`
    const before = remembered[key]
    const now = digest(kind, name) ?? before
    if (now === undefined) continue
    digests[key] = now
    if (before !== undefined && before !== now) changed.push(key)
  }
  const keys = Object.keys(digests)
  const same = keys.length === Object.keys(remembered).length && keys.every((key) => digests[key] === remembered[key])
  return { digests: same ? undefined : digests, changed }
}

/** Reads what is remembered; nonsense counts as nothing. */
export function parseDigests(text: string | undefined): Digests {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
    return Object.fromEntries(Object.entries(value).filter(([, digest]) => typeof digest === 'string'))
  } catch {
    return {}
  }
}
