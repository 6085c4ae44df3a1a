import { isFullyBound, isReachedFrom, selectedNode } from '../../../api/core/volume-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/types.ts'
import { keyOf } from '../../../client/key.ts'
import type { Latest } from '../../../client/latest.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts'
import type { Api, Clock, Live } from '../../../client/types.ts'
import type { NodeIdentity } from '../../framework/node-affinity.ts'

export interface BindContext {
  api: Api
  clock: Clock
  stopping: AbortSignal
  /** After that, the pod is tried anew. */
  timeoutMs: number
  claims: Latest<PersistentVolumeClaim>
  volumes: Latest<PersistentVolume>
  /** The node as it is now; undefined when it has gone. */
  node(): NodeIdentity | undefined
  /** Whether the pod still is to go there. */
  isWanted(): boolean
  onVolumeChange(listener: () => void): () => void
}

/** What is assumed of the objects, and has to be written. */
export interface Assumed {
  bindings: readonly { claim: Live<PersistentVolumeClaim>; volume: Live<PersistentVolume>; isNew: boolean }[]
  provisions: readonly { claim: Live<PersistentVolumeClaim>; isNew: boolean }[]
}

/** A pod that goes while it waits is noticed by then. */
const lookAgainMs = 1000

/**
 * Tells the controller which volume is whose, and provisioners where volumes are to be made; resolves when all claims are bound.
 * Throws when that has become impossible. What was written until then stands: the pod's next try goes on with it.
 */
export async function bindVolumes(context: BindContext, { bindings, provisions }: Assumed): Promise<void> {
  const { api, clock, stopping: signal, claims, volumes } = context
  for (const { volume, isNew } of bindings) {
    if (isNew) volumes.wrote(await api.update(persistentVolumes, volume, { signal }))
  }
  for (const { claim, isNew } of provisions) {
    if (isNew) claims.wrote(await api.update(persistentVolumeClaims, claim, { signal }))
  }
  const deadline = clock.now() + context.timeoutMs
  while (!isAllBound(context, { bindings, provisions })) {
    signal.throwIfAborted()
    if (clock.now() >= deadline) throw new Error('binding volumes: context deadline exceeded')
    await nextLook(context)
  }
}

function isAllBound(context: BindContext, { bindings, provisions }: Assumed): boolean {
  if (!context.isWanted()) throw new Error('binding volumes: pod does not exist any more')
  const node = context.node()
  if (!node) throw new Error('binding volumes: the node does not exist any more')
  const checks = [
    ...bindings.map(({ claim, volume }) => isBindingDone(context, node, claim, volume.metadata.name)),
    ...provisions.map(({ claim }) => isProvisionDone(context, node, claim)),
  ]
  return checks.every((done) => done)
}

function isBindingDone(
  { claims, volumes }: BindContext,
  node: NodeIdentity,
  claim: Live<PersistentVolumeClaim>,
  name: string,
): boolean {
  if (!volumes.isSeen(name)) return false
  const volume = volumes.get(name)
  if (!volume?.spec?.claimRef?.uid)
    throw new Error(`binding volumes: ClaimRef got reset for pv ${JSON.stringify(name)}`)
  checkReach(volume, node)
  const standing = claims.get(keyOf(claim))
  if (!standing)
    throw new Error(`binding volumes: persistentvolumeclaim ${JSON.stringify(claim.metadata.name)} not found`)
  return isFullyBound(standing)
}

function isProvisionDone(
  { claims, volumes }: BindContext,
  node: NodeIdentity,
  claim: Live<PersistentVolumeClaim>,
): boolean {
  const key = keyOf(claim)
  const quoted = JSON.stringify(claim.metadata.name)
  const standing = claims.get(key)
  if (!standing) throw new Error(`binding volumes: persistentvolumeclaim ${quoted} not found`)
  if (!claims.isSeen(key)) return false
  // A provisioner that cannot make the volume there takes the annotation away.
  if (standing.metadata.annotations?.[selectedNode] !== node.name) {
    throw new Error(`binding volumes: provisioning failed for PVC ${quoted}`)
  }
  const { volumeName } = standing.spec ?? {}
  if (!volumeName) return false
  const volume = volumes.get(volumeName)
  // It has not come here yet.
  if (!volume) return false
  checkReach(volume, node)
  return isFullyBound(standing)
}

function checkReach(volume: Live<PersistentVolume>, node: NodeIdentity): void {
  if (isReachedFrom(volume, node)) return
  const [name, nodeName] = [JSON.stringify(volume.metadata.name), JSON.stringify(node.name)]
  throw new Error(`binding volumes: pv ${name} node affinity doesn't match node ${nodeName}`)
}

/** Resolves when a claim or a volume has changed, or some time has gone by. */
async function nextLook({ clock, stopping, onVolumeChange }: BindContext): Promise<void> {
  const stop = new AbortController()
  const end = () => stop.abort()
  stopping.addEventListener('abort', end, { once: true })
  let ended = () => {}
  const changed = new Promise<void>((resolve) => {
    ended = onVolumeChange(resolve)
  })
  await Promise.race([changed, clock.sleep(lookAgainMs, stop.signal).catch(() => {})])
  ended()
  end()
  stopping.removeEventListener('abort', end)
}
