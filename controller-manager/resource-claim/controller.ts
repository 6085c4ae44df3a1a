import type { Pod, PodResourceClaimStatus, ResourceV1ResourceClaim } from '../../api/generated/types.ts'
import { claimFinalizer, podClaimAnnotation, podClaimOf } from '../../api/resource/pod-claims.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { keyOf } from '../../client/key.ts'
import { pods as podResource, resourceClaims, resourceClaimTemplates } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { controllerOf } from '../pods/ownership.ts'
import { withFinalizer } from '../pvc-protection/plan.ts'
import type { ControllerDeps } from '../types.ts'
import { type Claim, isDone, isPod, planClaim } from './plan-claim.ts'
import { claimFromTemplate, type PodPlan, planPod } from './plan-pod.ts'

const byClaim = 'deviceClaim'
const byTemplate = 'deviceClaimTemplate'
const byOwner = 'owner'
const ofPod = 'pod:'
const ofClaim = 'claim:'

/** Makes the claims of devices that pods describe by templates, and takes claims from pods that are done with them. */
export function newResourceClaimController({ api, clock, events, informers, options }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'resource_claim' })
  const pods = informers.for<Pod>(podResource)
  const claims = informers.for<ResourceV1ResourceClaim>(resourceClaims)
  const templates = informers.for(resourceClaimTemplates)
  pods.addIndexers({ [byClaim]: claimKeysOf, [byTemplate]: templateKeysOf })
  claims.addIndexers({ [byOwner]: (claim) => [controllerOf(claim)?.uid ?? ''] })
  /** Claims that were made and may not have come back yet, by pod and entry. */
  const made = new Map<string, Claim>()

  const seePod = (pod: Live<Pod>) => {
    if (!pod.spec?.resourceClaims?.length) return
    if (!pod.metadata.deletionTimestamp) queue.add(ofPod + keyOf(pod))
    if (isDone(pod)) seeClaimsOf(pod)
  }
  const seeClaimsOf = (pod: Live<Pod>) => {
    for (const key of claimKeysOf(pod)) queue.add(ofClaim + key)
  }
  pods.on({
    add: seePod,
    update: (_before, after) => seePod(after),
    delete(pod) {
      for (const entry of pod.spec?.resourceClaims ?? []) made.delete(madeKey(pod, entry.name))
      seeClaimsOf(pod)
    },
  })
  const seeUsersOf = (claim: Claim) => {
    for (const pod of pods.lister.byIndex(byClaim, keyOf(claim))) seePod(pod)
  }
  const seeClaim = (claim: Claim) => {
    queue.add(ofClaim + keyOf(claim))
    seeUsersOf(claim)
  }
  claims.on({ add: seeClaim, update: (_before, after) => seeClaim(after), delete: seeUsersOf })
  templates.on({
    add(template) {
      for (const pod of pods.lister.byIndex(byTemplate, keyOf(template))) seePod(pod)
    },
  })

  async function reconcilePod(key: string, signal: AbortSignal): Promise<void> {
    const pod = pods.lister.byKey(key)
    if (!pod) return
    const { namespace } = pod.metadata
    const plan = planPod(pod, {
      claim: (name) => claims.lister.get(namespace, name),
      madeFor: (entry) => ownClaim(pod, entry) ?? made.get(madeKey(pod, entry)),
    })
    const tell = [...plan.tell]
    for (const { entry, template } of plan.make) {
      const claim = await make(pod, entry, template, signal)
      tell.push({ name: entry, resourceClaimName: claim.metadata.name })
    }
    if (tell.length > 0) await tellPod(pod, tell, signal)
    await reserveAll(pod, plan, signal)
  }

  const ownClaim = ({ metadata }: Live<Pod>, entry: string): Claim | undefined =>
    claims.lister
      .byIndex(byOwner, metadata.uid ?? '')
      .find((claim) => claim.metadata.annotations?.[podClaimAnnotation] === entry)

  async function make(pod: Live<Pod>, entry: string, name: string, signal: AbortSignal): Promise<Claim> {
    try {
      const template = templates.lister.get(pod.metadata.namespace, name)
      if (!template) {
        throw new Error(
          `resource claim template ${JSON.stringify(name)}: resourceclaimtemplate.resource.k8s.io ${JSON.stringify(name)} not found`,
        )
      }
      const claim = await api.create(resourceClaims, claimFromTemplate(pod, entry, template), { signal })
      made.set(madeKey(pod, entry), claim)
      return claim
    } catch (error) {
      const message = `PodResourceClaim ${entry}: ${(error as Error).message}`
      const about = { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata }
      events.event(about, 'Warning', 'FailedResourceClaimCreation', message)
      throw error
    }
  }

  async function tellPod(pod: Live<Pod>, entries: readonly PodResourceClaimStatus[], signal: AbortSignal) {
    const { namespace, name, uid } = pod.metadata
    const body = { metadata: { uid }, status: { resourceClaimStatuses: entries } }
    await api.patch(
      podResource,
      { namespace, name },
      { type: 'strategic', body },
      { subresource: 'status', fieldManager: 'ResourceClaimController', signal },
    )
  }

  async function reserveAll(pod: Live<Pod>, { reserve }: PodPlan, signal: AbortSignal): Promise<void> {
    const { name, uid = '' } = pod.metadata
    for (const claim of reserve) {
      const reservedFor = [...(claim.status?.reservedFor ?? []), { resource: 'pods', name, uid }]
      const next = { ...claim, status: { ...claim.status, reservedFor } }
      await api.update(resourceClaims, next, { subresource: 'status', signal })
    }
  }

  async function reconcileClaim(key: string, signal: AbortSignal): Promise<void> {
    const claim = claims.lister.byKey(key)
    if (!claim) return
    const { namespace, name, uid } = claim.metadata
    const owner = controllerOf(claim)
    const pod = owner?.kind === 'Pod' ? pods.lister.get(namespace, owner.name) : undefined
    const plan = planClaim(claim, await goneUsers(claim, signal), pod)
    let latest = claim
    if (plan.status) {
      latest = await api.update(resourceClaims, { ...latest, status: plan.status }, { subresource: 'status', signal })
    }
    if (plan.release) await api.update(resourceClaims, withFinalizer(latest, claimFinalizer, false), { signal })
    if (plan.delete && !claim.metadata.deletionTimestamp) {
      await api.delete(resourceClaims, { namespace, name }, { ...(uid ? { preconditions: { uid } } : {}), signal })
    }
  }

  /** The uids of the pods that do not use the claim any more. The server is asked about those that nothing is known of. */
  async function goneUsers(claim: Claim, signal: AbortSignal): Promise<Set<string>> {
    const { namespace } = claim.metadata
    const gone = new Set<string>()
    for (const user of (claim.status?.reservedFor ?? []).filter(isPod)) {
      const pod = pods.lister.get(namespace, user.name) ?? (await find(namespace, user.name, signal))
      if (!pod || pod.metadata.uid !== user.uid || isDone(pod)) gone.add(user.uid)
    }
    return gone
  }

  async function find(
    namespace: string | undefined,
    name: string,
    signal: AbortSignal,
  ): Promise<Live<Pod> | undefined> {
    try {
      return await api.get(podResource, { namespace, name }, { signal })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  return {
    name: 'resource-claim',
    workers: options.workers.resourceclaim ?? 50,
    queue,
    async reconcile(key, signal) {
      try {
        if (key.startsWith(ofPod)) await reconcilePod(key.slice(ofPod.length), signal)
        else await reconcileClaim(key.slice(ofClaim.length), signal)
      } catch (error) {
        // It has gone in the meantime.
        if (!isNotFound(error)) throw error
      }
      return undefined
    },
  }
}

const madeKey = ({ metadata }: Live<Pod>, entry: string): string => `${metadata.uid ?? ''}/${entry}`

/** `namespace/name` of the claims that a pod uses, as far as they are there. */
function claimKeysOf(pod: Live<Pod>): string[] {
  return (pod.spec?.resourceClaims ?? []).flatMap((entry) => {
    const known = podClaimOf(pod, entry)
    return 'fault' in known || known.claim === undefined ? [] : [`${pod.metadata.namespace ?? ''}/${known.claim}`]
  })
}

const templateKeysOf = ({ metadata, spec }: Live<Pod>): string[] =>
  (spec?.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName: name }) =>
    name === undefined ? [] : [`${metadata.namespace ?? ''}/${name}`],
  )
