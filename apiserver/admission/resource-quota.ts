import { chargeQuota } from '../../api/core/quota/charge.ts'
import type { QuotaWrite } from '../../api/core/quota/evaluator.ts'
import { quotaEvaluator } from '../../api/core/quota/evaluators.ts'
import type { ResourceQuota } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionPlugin } from './types.ts'

/**
 * Holds a namespace to its quotas. What a write uses is added to the quota's status in the commit of the write itself, so
 * that no two writes together use more than there is, and a write that fails uses nothing.
 */
export function createResourceQuota({ client, lookup, now }: AdmissionContext): AdmissionPlugin {
  const quotas = lookup('', 'resourcequotas')
  return {
    name: 'ResourceQuota',
    handles: ({ namespace, operation }) => namespace !== '' && (operation === 'CREATE' || operation === 'UPDATE'),
    validate(attributes) {
      const { namespace, resource, operation, subresource, object, old } = attributes
      if (!attributes.amend || !object) return
      // Nearly every namespace is without quotas.
      const standing = client.cachedList<Stored<ResourceQuota>>(quotas, namespace)
      if (standing.length === 0) return
      const evaluator = quotaEvaluator(resource.group, resource.plural)
      const write: QuotaWrite = {
        operation: operation as QuotaWrite['operation'],
        subresource,
        object,
        ...(old ? { old } : {}),
      }
      if (!evaluator?.handles(write)) return
      for (const { metadata, status } of standing) {
        if (evaluator.matching(Object.keys(status?.hard ?? {})).length === 0) continue
        attributes.amend({
          resource: quotas,
          namespace,
          name: metadata.name ?? '',
          amend(quota) {
            const charge = chargeQuota(quota as Stored<ResourceQuota>, evaluator, write, now())
            if (charge.do === 'refuse') throw refuse(attributes, charge.why)
            if (charge.do === 'nothing') return undefined
            return { ...quota, status: { ...(quota.status as object), used: charge.used } }
          },
        })
      }
    },
  }
}
