import { isDeepStrictEqual } from 'node:util'
import type {
  AggregationRule,
  LabelSelector,
  PolicyRule,
  RoleRef,
  RbacV1Subject as Subject,
} from '../../api/generated/types.ts'
import { missingRules } from '../../api/rbac/coverage.ts'
import type { NamedObject } from '../objects.ts'

/** A role or a binding, of the cluster or of a namespace. */
export type Access = NamedObject & {
  rules?: PolicyRule[] | null
  aggregationRule?: AggregationRule
  subjects?: Subject[]
  roleRef?: RoleRef
}

/** What a role or a binding is to become, and by which step. */
export interface Reconciliation {
  step: 'none' | 'create' | 'update' | 'recreate'
  object: Access
  missingRules: PolicyRule[]
  extraRules: PolicyRule[]
  missingSubjects: Subject[]
  extraSubjects: Subject[]
  /** It has said that it is not to be changed: nothing is done. */
  isProtected: boolean
}

interface Removals {
  extraPermissions?: boolean
  extraSubjects?: boolean
}

const optOut = 'rbac.authorization.kubernetes.io/autoupdate'
const rbacGroup = 'rbac.authorization.k8s.io'
const nothing = { missingRules: [], extraRules: [], missingSubjects: [], extraSubjects: [], isProtected: false }

/** Brings what is there to what is wanted; whatever else it grants stays, unless its removal is asked for. */
export function reconciled(existing: Access | undefined, wanted: Access, removals: Removals): Reconciliation {
  if (!existing)
    return {
      ...nothing,
      step: 'create',
      object: wanted,
      missingRules: wanted.rules ?? [],
      missingSubjects: wanted.subjects ?? [],
    }
  const isProtected = existing.metadata.annotations?.[optOut] === 'false'
  // A binding cannot be made to lead to another role.
  if (!isDeepStrictEqual(roleOf(wanted), roleOf(existing)))
    return { ...nothing, step: 'recreate', object: wanted, isProtected }
  const changes = wanted.kind?.endsWith('Binding')
    ? subjectChanges(existing, wanted, Boolean(removals.extraSubjects))
    : ruleChanges(existing, wanted, Boolean(removals.extraPermissions))
  const { fields, ...told } = changes
  const object = {
    ...existing,
    ...fields,
    metadata: { ...existing.metadata, ...withMarks(existing, wanted) },
  } as Access
  const step = isDeepStrictEqual(object, existing) ? 'none' : 'update'
  return { ...nothing, ...told, step, object, isProtected }
}

const roleOf = ({ roleRef }: Access) => roleRef && { ...roleRef, apiGroup: roleRef.apiGroup || rbacGroup }

/** Labels and annotations of both; what is there wins. */
function withMarks(existing: Access, wanted: Access) {
  const both = (name: 'labels' | 'annotations') => {
    const all = { ...wanted.metadata[name], ...existing.metadata[name] }
    return Object.keys(all).length > 0 ? { [name]: all } : {}
  }
  return { ...both('labels'), ...both('annotations') }
}

function ruleChanges(existing: Access, wanted: Access, removesExtra: boolean) {
  const [there, asked] = [existing.rules ?? [], wanted.rules ?? []]
  const missing = missingRules(there, asked)
  // The rules of two roles that are gathered from others are nobody's extra.
  const extra = existing.aggregationRule && wanted.aggregationRule ? [] : missingRules(asked, there)
  const rules = removesExtra && missing.length + extra.length > 0 ? asked : [...there, ...(removesExtra ? [] : missing)]
  const aggregationRule = gathered(existing.aggregationRule, wanted.aggregationRule, removesExtra)
  return {
    missingRules: missing,
    extraRules: removesExtra ? extra : [],
    fields: {
      ...(isDeepStrictEqual(rules, there) ? {} : { rules }),
      ...(isDeepStrictEqual(aggregationRule, existing.aggregationRule) ? {} : { aggregationRule }),
    },
  }
}

/** From which roles a role is gathered. One that is not to be gathered is so no longer. */
function gathered(
  existing: AggregationRule | undefined,
  wanted: AggregationRule | undefined,
  removesExtra: boolean,
): AggregationRule | undefined {
  if (!wanted) return undefined
  const [there, asked] = [existing?.clusterRoleSelectors ?? [], wanted.clusterRoleSelectors ?? []]
  const missing = without(asked, there)
  if (removesExtra) return missing.length + without(there, asked).length > 0 ? wanted : existing
  return missing.length > 0 ? { clusterRoleSelectors: [...there, ...missing] } : existing
}

function subjectChanges(existing: Access, wanted: Access, removesExtra: boolean) {
  const there = existing.subjects ?? []
  const asked = (wanted.subjects ?? []).map(inGroup)
  const missing = without(asked, there)
  const extra = without(there, asked)
  const subjects =
    removesExtra && missing.length + extra.length > 0 ? asked : [...there, ...(removesExtra ? [] : missing)]
  return {
    missingSubjects: missing,
    extraSubjects: removesExtra ? extra : [],
    fields: isDeepStrictEqual(subjects, there) ? {} : { subjects },
  }
}

/** The group that the server would add, so that nobody is added twice. */
const inGroup = (subject: Subject): Subject =>
  subject.apiGroup || subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: rbacGroup }

const without = <T extends Subject | LabelSelector>(items: readonly T[], others: readonly T[]): T[] =>
  items.filter(
    (item, i) =>
      !others.some((other) => isDeepStrictEqual(other, item)) &&
      items.findIndex((one) => isDeepStrictEqual(one, item)) === i,
  )
