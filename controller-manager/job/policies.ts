import type {
  ContainerStatus,
  Job,
  Pod,
  PodFailurePolicyOnExitCodesRequirement,
  SuccessPolicy,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { parseIndexes } from './completion-index.ts'

/** What a job's rules say of a failed pod. */
export interface FailureVerdict {
  /** It counts towards the limit of failures. */
  counts: boolean
  failsIndex: boolean
  /** The whole job has failed, for this reason. */
  failsJob?: string
}

/** The first rule of the pod failure policy that matches decides; without one, every failure counts. */
export function judgeFailure({ spec }: Live<Job>, pod: Live<Pod>): FailureVerdict {
  const counts: FailureVerdict = { counts: true, failsIndex: false }
  const { namespace, name } = pod.metadata
  for (const [i, rule] of (spec?.podFailurePolicy?.rules ?? []).entries()) {
    const found = rule.onExitCodes
      ? failedContainer(pod, rule.onExitCodes)
      : (pod.status?.conditions ?? []).find((condition) =>
          (rule.onPodConditions ?? []).some(
            (pattern) => pattern.type === condition.type && pattern.status === condition.status,
          ),
        )
    if (!found) continue
    switch (rule.action) {
      case 'Ignore':
        return { counts: false, failsIndex: false }
      case 'FailIndex':
        return { counts: true, failsIndex: true }
      case 'Count':
        return counts
      case 'FailJob': {
        const how =
          'state' in found
            ? `Container ${found.name} for pod ${namespace}/${name} failed with exit code ${found.state?.terminated?.exitCode}`
            : `Pod ${namespace}/${name} has condition ${'type' in found ? found.type : ''}`
        return { ...counts, failsJob: `${how} matching FailJob rule at index ${i}` }
      }
    }
  }
  return counts
}

function failedContainer(
  { status }: Live<Pod>,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): ContainerStatus | undefined {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(({ name, state }) => {
    const code = state?.terminated?.exitCode ?? 0
    if (code === 0 || (containerName !== undefined && containerName !== name)) return false
    return values.includes(code) === (operator === 'In')
  })
}

/** The number of the first rule that the succeeded indexes satisfy; undefined if none is. */
export function metSuccessRule(
  policy: SuccessPolicy | undefined,
  succeeded: ReadonlySet<number>,
  completions: number,
): number | undefined {
  if (!policy || succeeded.size === 0) return undefined
  const met = policy.rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount
    const required = parseIndexes(succeededIndexes, completions)
    if (required.size === 0) return false
    const done = [...required].filter((index) => succeeded.has(index)).length
    return done === required.size || (succeededCount !== undefined && done >= succeededCount)
  })
  return met < 0 ? undefined : met
}
