import type { Lease } from '../api/generated/types.ts'
import { formatMicroTime } from '../api/machinery/time.ts'
import { systemClock } from './clock.ts'
import { isAlreadyExists, isNotFound } from './errors.ts'
import { leases } from './resources.ts'
import type { Api, Clock, Live } from './types.ts'

export interface LeaderElectionOptions {
  api: Api
  clock?: Clock
  /** Of the Lease. */
  name: string
  namespace: string
  /** Who this is, unlike all others: `host_uuid`. */
  identity: string
  /** How long others wait before they take over from a leader that no longer renews. */
  leaseDurationMs?: number
  /** How long the leader tries to renew before it stops. */
  renewDeadlineMs?: number
  retryPeriodMs?: number
  signal: AbortSignal
  /** Leading has begun; its signal fires when it ends. */
  onStarted(signal: AbortSignal): Promise<void> | void
  onNewLeader?(identity: string): void
  onError?(error: unknown): void
}

/**
 * Waits to become the leader, leads, and resolves when leading has ended: when the signal fires, or when the lease could
 * not be renewed in time. Then the program must end, because another may lead. What others' leases say of time is not
 * believed: only how long this process has seen them unchanged.
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { api, clock = systemClock, name, namespace, identity, signal, onNewLeader, onError = () => {} } = options
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2000 } = options
  let observed: { lease: Live<Lease>; at: number } | undefined
  let leader = ''

  const note = (lease: Live<Lease>) => {
    if (observed?.lease.metadata.resourceVersion !== lease.metadata.resourceVersion)
      observed = { lease, at: clock.now() }
    const holder = lease.spec?.holderIdentity ?? ''
    if (holder !== '' && holder !== leader) {
      leader = holder
      onNewLeader?.(holder)
    }
  }

  /** Takes or keeps the lease; false when somebody else has it. */
  const acquireOrRenew = async (): Promise<boolean> => {
    const now = formatMicroTime(clock.now())
    const mine = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000), renewTime: now }
    if (!observed || leader !== identity) {
      try {
        note(await api.get(leases, { namespace, name }, { signal }))
      } catch (error) {
        if (!isNotFound(error)) throw error
        try {
          note(
            await api.create(leases, {
              metadata: { name, namespace },
              spec: { ...mine, acquireTime: now, leaseTransitions: 0 },
            }),
          )
          return true
        } catch (raced) {
          if (isAlreadyExists(raced)) return false
          throw raced
        }
      }
    }
    const { lease, at } = observed as { lease: Live<Lease>; at: number }
    const spec = lease.spec ?? {}
    const held = (spec.holderIdentity ?? '') !== ''
    if (held && spec.holderIdentity !== identity && at + (spec.leaseDurationSeconds ?? 0) * 1000 > clock.now())
      return false
    const same = spec.holderIdentity === identity
    try {
      note(
        await api.update(leases, {
          ...lease,
          spec: {
            ...spec,
            ...mine,
            acquireTime: same ? (spec.acquireTime ?? now) : now,
            leaseTransitions: (spec.leaseTransitions ?? 0) + (same ? 0 : 1),
          },
        }),
      )
      return true
    } catch (error) {
      // Whatever stands now must be read before the next try.
      leader = ''
      throw error
    }
  }

  /** undefined: it could not be found out. */
  const tryOnce = async (): Promise<boolean | undefined> => {
    try {
      return await acquireOrRenew()
    } catch (error) {
      onError(error)
      return undefined
    }
  }

  while (!(await tryOnce())) {
    if (signal.aborted) return
    await clock.sleep(retryPeriodMs * (1 + Math.random() * 0.2), signal).catch(() => {})
    if (signal.aborted) return
  }

  const leading = new AbortController()
  const end = () => leading.abort(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  const work = Promise.resolve(options.onStarted(leading.signal))
  const failed = work.then(
    () => undefined,
    (error: unknown) => {
      leading.abort(error)
      throw error
    },
  )
  failed.catch(() => {})
  let renewedAt = clock.now()
  while (!leading.signal.aborted) {
    await clock.sleep(retryPeriodMs, leading.signal).catch(() => {})
    if (leading.signal.aborted) break
    const renewed = await tryOnce()
    if (renewed) renewedAt = clock.now()
    else if (renewed === false || clock.now() - renewedAt >= renewDeadlineMs)
      leading.abort(new Error('the lease was lost'))
  }
  signal.removeEventListener('abort', end)
  await failed
  if (signal.aborted) await release()

  /** Lets the next one in at once. */
  async function release(): Promise<void> {
    try {
      const lease = await api.get(leases, { namespace, name })
      if (lease.spec?.holderIdentity !== identity) return
      const now = formatMicroTime(clock.now())
      await api.update(leases, {
        ...lease,
        spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now },
      })
    } catch (error) {
      onError(error)
    }
  }
}
