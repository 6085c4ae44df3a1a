import { formatMicroTime } from '../../api/machinery/time.ts'
import { isAlreadyExists, isNotFound } from '../../client/errors.ts'
import type { Logger } from '../../client/logger.ts'
import { leases } from '../../client/resources.ts'
import type { Api, Clock } from '../../client/types.ts'

const namespace = 'kube-node-lease'
const durationSeconds = 40
const renewMs = 10_000
const retryMs = [200, 400, 800, 1600, 3200, 7000]

/** Renews the node's lease every ten seconds until the signal fires: whoever watches it knows that the node lives. */
export async function keepLease(options: {
  api: Api
  clock: Clock
  log: Logger
  nodeName: string
  /** Undefined as long as the node is not registered. */
  nodeUid: () => string | undefined
  signal: AbortSignal
}): Promise<void> {
  const { api, clock, log, nodeName: name, nodeUid, signal } = options
  const key = { namespace, name }
  const renew = async (): Promise<void> => {
    const uid = nodeUid()
    const owner = uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] }
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: durationSeconds,
      renewTime: formatMicroTime(clock.now()),
    }
    try {
      await api.patch(leases, key, { type: 'merge', body: { metadata: owner, spec } }, { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
      await api.create(leases, { metadata: { ...key, ...owner }, spec }, { signal }).catch((raced) => {
        if (!isAlreadyExists(raced)) throw raced
      })
    }
  }
  for (let failures = 0; !signal.aborted; ) {
    try {
      await renew()
      if (failures > 0) log.info({ node: name }, 'the lease of the node is renewed again')
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      if (failures++ === 0) log.warn({ err: error, node: name }, 'the lease of the node cannot be renewed')
    }
    const wait = failures === 0 ? renewMs : (retryMs[Math.min(failures - 1, retryMs.length - 1)] as number)
    await clock.sleep(wait, signal).catch(() => undefined)
  }
}
