import { nameIsDNSSubdomain } from '../machinery/names.ts'

/** On a workload, or on the Scale that makes it smaller: the pods that go first, by their names. */
export const victimsAnnotation = 'gantry.dev/scale-down-victims'

/** The names, between commas. */
export const parseVictims = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

/** What is wrong with a list of victims; undefined: nothing. */
export function victimsFault(text: string): string | undefined {
  const wrong = parseVictims(text).find((name) => nameIsDNSSubdomain(name, false).length > 0)
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is not the name of a pod`
}
