import { parseDuration } from '../machinery/duration.ts'
import { nameIsDNSSubdomain } from '../machinery/names.ts'

/** On a pod or its template: the gang it belongs to, by a name of its own in the namespace. */
export const gangAnnotation = 'gantry.dev/gang'
/** How many pods of the gang have to have a node before any of them gets one. */
export const gangMinMembersAnnotation = 'gantry.dev/gang-min-members'
/** How long those that could have one wait for the others. */
export const gangTimeoutAnnotation = 'gantry.dev/gang-timeout'

/** Pods that are given nodes together or not at all. */
export interface Gang {
  name: string
  minMembers: number
  timeoutMs: number
}

const defaultTimeoutMs = 60_000
const longestTimeoutMs = 3_600_000
const mostMembers = 10_000

/** The gang that annotations name; undefined where they name none, or not in full. */
export function gangOf(annotations: Readonly<Record<string, string>> | undefined): Gang | undefined {
  const name = annotations?.[gangAnnotation]
  if (name === undefined) return undefined
  const minMembers = membersOf(annotations?.[gangMinMembersAnnotation] ?? '')
  const timeoutMs = timeoutOf(annotations?.[gangTimeoutAnnotation] ?? '') ?? defaultTimeoutMs
  return minMembers === undefined ? undefined : { name, minMembers, timeoutMs }
}

/** What is wrong with one of a gang's annotations, read together with the others; undefined: nothing. */
export function gangFault(annotation: string, annotations: Readonly<Record<string, string>>): string | undefined {
  const text = annotations[annotation] ?? ''
  switch (annotation) {
    case gangAnnotation: {
      const [fault] = nameIsDNSSubdomain(text, false)
      if (fault !== undefined) return fault
      if (annotations[gangMinMembersAnnotation] !== undefined) return undefined
      return `needs ${gangMinMembersAnnotation} beside it`
    }
    case gangMinMembersAnnotation:
      return membersOf(text) === undefined ? `must be a whole number from 1 to ${mostMembers}` : undefined
    case gangTimeoutAnnotation:
      return timeoutOf(text) === undefined ? 'must be a duration from 1s to 1h, such as 2m' : undefined
    default:
      return undefined
  }
}

function membersOf(text: string): number | undefined {
  const count = /^[1-9]\d*$/.test(text) ? Number(text) : 0
  return count >= 1 && count <= mostMembers ? count : undefined
}

function timeoutOf(text: string): number | undefined {
  const ms = parseDuration(text)
  return ms !== undefined && ms >= 1000 && ms <= longestTimeoutMs ? ms : undefined
}
