import type { NetworkPolicy } from '../../../api/generated/types.ts'
import type { EventRecorder } from '../../../client/events.ts'
import { Informer } from '../../../client/informer.ts'
import { networkPolicies } from '../../../client/resources.ts'
import type { Api } from '../../../client/types.ts'

export interface UnheldOptions {
  api: Api
  events: Pick<EventRecorder, 'event'>
  nodeName: string
  signal: AbortSignal
}

/** Tells of each policy that it does not hold on this node: whoever relies on one must hear that nothing keeps it. */
export function tellUnheld({ api, events, nodeName, signal }: UnheldOptions): void {
  const informer = new Informer<NetworkPolicy>(api, networkPolicies, { metadataOnly: true })
  informer.on({
    add: ({ metadata }) =>
      events.event(
        { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', ...referenceOf(metadata) },
        'Warning',
        'NotEnforced',
        `Network policies do not hold on node ${nodeName}: its pods are plain processes, which share one network. They do on nodes that run containers (--runtime containerd)`,
      ),
  })
  void informer.start(signal).catch(() => undefined)
}

const referenceOf = ({ name, namespace = '', uid = '' }: { name: string; namespace?: string; uid?: string }) => ({
  name,
  namespace,
  uid,
})
