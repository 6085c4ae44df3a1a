import { invalidSinceLabel, lastUsedLabel } from '../../api/authentication/legacy-token.ts'
import type { Pod, Secret, ServiceAccount } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'
import { accountNameAnnotation, accountUidAnnotation } from '../serviceaccount-token/plan.ts'

const dayMs = 86_400_000
const dateForm = /^\d{4}-\d{2}-\d{2}$/

/** `2026-01-31`, in UTC. */
export const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** Whether uses have been recorded for so long that one would have been seen: `since` is the day that began on. */
export function isTrackedFor(since: string | undefined, periodMs: number, nowMs: number): boolean {
  const sinceMs = dateForm.test(since ?? '') ? Date.parse(since as string) : Number.NaN
  return nowMs >= sinceMs + dayMs + periodMs
}

export interface TokenWorld {
  accountOf: (secret: Live<Secret>) => Live<ServiceAccount> | undefined
  /** Secrets of the namespace that pods mount or read. */
  isUsedByPods: (secret: Live<Secret>) => boolean
}

/**
 * What becomes of a token that was made for an account automatically, as those of old clusters are: one that was not
 * used for the whole period is marked as invalid, and removed when it has been that for another.
 */
export function planLegacyToken(
  secret: Live<Secret>,
  { accountOf, isUsedByPods }: TokenWorld,
  periodMs: number,
  nowMs: number,
): 'keep' | 'mark' | 'remove' {
  const { creationTimestamp = '', deletionTimestamp, labels = {}, name } = secret.metadata
  if (deletionTimestamp || (parseTime(creationTimestamp) ?? nowMs) >= nowMs - periodMs) return 'keep'
  const keepFrom = dateOf(nowMs - periodMs)
  const { [lastUsedLabel]: lastUsed, [invalidSinceLabel]: invalidSince = '' } = labels
  if (lastUsed !== undefined && (!dateForm.test(lastUsed) || lastUsed >= keepFrom)) return 'keep'
  // Only what an account lists was made automatically; what people made, they remove.
  if (!accountOf(secret)?.secrets?.some((reference) => reference.name === name)) return 'keep'
  if (isUsedByPods(secret)) return 'keep'
  if (!dateForm.test(invalidSince)) return 'mark'
  return invalidSince >= keepFrom ? 'keep' : 'remove'
}

/** Whether the account is the one the secret holds a token of. */
export function isAccountOf({ metadata }: Live<Secret>, account: Live<ServiceAccount>): boolean {
  const { [accountNameAnnotation]: name, [accountUidAnnotation]: uid } = metadata.annotations ?? {}
  return account.metadata.name === name && (!uid || uid === account.metadata.uid)
}

/** The secrets that a pod mounts, reads variables from, or pulls images with. */
export function secretsOf({ spec }: Live<Pod>): string[] {
  const containers = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ]
  return [
    ...(spec?.imagePullSecrets ?? []).map(({ name }) => name),
    ...containers.flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
    ...(spec?.volumes ?? []).flatMap((volume) => [
      volume.secret?.secretName,
      ...(volume.projected?.sources ?? []).map(({ secret }) => secret?.name),
      (volume.csi?.nodePublishSecretRef ?? volume.cephfs?.secretRef ?? volume.rbd?.secretRef)?.name,
      (volume.flexVolume?.secretRef ?? volume.iscsi?.secretRef ?? volume.scaleIO?.secretRef)?.name,
      volume.azureFile?.secretName ?? volume.storageos?.secretRef?.name,
    ]),
  ].flatMap((name) => name || [])
}
