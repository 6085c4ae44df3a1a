import { key as at, type FieldError, invalid } from '../../../api/machinery/field-errors.ts'
import { baselineChecks } from './baseline.ts'
import type { CheckedPod } from './check.ts'
import { restrictedChecks } from './restricted.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'
export type Mode = 'enforce' | 'audit' | 'warn'

/** What a namespace asks of its pods in one mode. */
export interface Policy {
  level: Level
  /** `latest` or `v1.NN`. */
  version: string
}

const prefix = 'pod-security.kubernetes.io/'
const levels: readonly string[] = ['privileged', 'baseline', 'restricted']
const modes: readonly Mode[] = ['enforce', 'audit', 'warn']
const versionForm = /^(?:latest|v1\.(?:0|[1-9]\d*))$/

/** What the labels of a namespace ask for. What cannot be read counts as the strictest, as upstream has it. */
export function policiesOf(labels: Readonly<Record<string, string>> = {}): Record<Mode, Policy> {
  const policy = (mode: Mode): Policy => {
    const level = labels[prefix + mode] ?? 'privileged'
    const version = labels[`${prefix}${mode}-version`] ?? 'latest'
    return {
      level: (levels.includes(level) ? level : mode === 'enforce' ? 'restricted' : 'privileged') as Level,
      version: versionForm.test(version) ? version : 'latest',
    }
  }
  return { enforce: policy('enforce'), audit: policy('audit'), warn: policy('warn') }
}

/** Faults in a namespace's labels. */
export function policyLabelFaults(labels: Readonly<Record<string, string>> = {}): FieldError[] {
  return modes.flatMap((mode) => {
    const [level, version] = [labels[prefix + mode], labels[`${prefix}${mode}-version`]]
    return [
      ...(level !== undefined && !levels.includes(level)
        ? [invalid(at('metadata.labels', prefix + mode), level, `must be one of ${levels.join(', ')}`)]
        : []),
      ...(version !== undefined && !versionForm.test(version)
        ? [invalid(at('metadata.labels', `${prefix}${mode}-version`), version, 'must be "latest" or "v1.x"')]
        : []),
    ]
  })
}

/** `restricted:latest`. */
export const describePolicy = ({ level, version }: Policy): string => `${level}:${version}`

/** What a pod does that the policy forbids, as upstream prints it: `reason (detail), …`. '' if nothing. */
export function violations(pod: CheckedPod, { level, version }: Policy): string {
  if (level === 'privileged') return ''
  const minor = version === 'latest' ? Number.POSITIVE_INFINITY : Number(version.slice('v1.'.length))
  const strict = level === 'restricted' ? restrictedChecks : []
  const overridden = new Set(strict.flatMap(({ overrides = [] }) => overrides))
  return [...baselineChecks.filter(({ id }) => !overridden.has(id)), ...strict]
    .filter(({ since = 0 }) => since <= minor)
    .flatMap((check) => check.violation(pod, minor) ?? [])
    .map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`))
    .join(', ')
}
