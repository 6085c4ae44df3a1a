import type { Container, EphemeralContainer, ObjectMeta, PodSpec } from '../../../api/generated/types.ts'

/** One rule of the Pod Security Standards. */
export interface Check {
  id: string
  level: 'baseline' | 'restricted'
  /** The minor version of Kubernetes in which the rule came. */
  since?: number
  /** Baseline rules that this stricter one stands for. */
  overrides?: readonly string[]
  /** Undefined: the pod keeps the rule. `minor` is Infinity for the latest version. */
  violation: (pod: CheckedPod, minor: number) => Violation | undefined
}

export interface CheckedPod {
  metadata: Pick<ObjectMeta, 'annotations'>
  spec: PodSpec
}

export interface Violation {
  reason: string
  detail: string
}

export type AnyContainer = Container | EphemeralContainer

/** Init, plain and ephemeral containers, in upstream's order. */
export const containersOf = ({
  initContainers = [],
  containers,
  ephemeralContainers = [],
}: PodSpec): AnyContainer[] => [...initContainers, ...containers, ...ephemeralContainers]

export const isWindows = (spec: PodSpec): boolean => spec.os?.name === 'windows'

/** Inside a user namespace of its own, root is nobody outside. */
export const hasOwnUsers = (spec: PodSpec): boolean => spec.hostUsers === false

export const quote = (items: Iterable<string>): string => [...items].map((item) => JSON.stringify(item)).join(', ')

/** `container "a"`, or `containers "a", "b"`. */
export const named = (singular: string, names: readonly string[]): string =>
  `${singular}${names.length === 1 ? '' : 's'} ${quote(names)}`

/** Names of the containers that `isBad`. */
export const badContainers = (spec: PodSpec, isBad: (container: AnyContainer) => boolean): string[] =>
  containersOf(spec)
    .filter(isBad)
    .map(({ name }) => name)

/** A violation by some containers; none if there are none. */
export function byContainers(names: readonly string[], reason: string, what: string): Violation | undefined {
  return names.length === 0 ? undefined : { reason, detail: `${named('container', names)} ${what}` }
}

/** Puts who is at fault together: `pod and container "a"`. */
export const subjects = (isPod: boolean, containers: readonly string[]): string =>
  [...(isPod ? ['pod'] : []), ...(containers.length > 0 ? [named('container', containers)] : [])].join(' and ')
