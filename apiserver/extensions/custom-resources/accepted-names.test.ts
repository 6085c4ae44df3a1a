import { describe, expect, it } from 'vitest'
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import { decideNames } from './accepted-names.ts'

type Definition = Stored<CustomResourceDefinition>
const names = (
  plural: string,
  kind: string,
  more: Partial<CustomResourceDefinitionNames> = {},
): CustomResourceDefinitionNames => ({
  plural,
  kind,
  singular: kind.toLowerCase(),
  listKind: `${kind}List`,
  ...more,
})
const definition = (wanted: ReturnType<typeof names>, status?: Definition['status'], group = 'example.com') =>
  ({
    metadata: { name: `${wanted.plural}.${group}` },
    spec: { group, names: wanted, scope: 'Namespaced', versions: [] },
    ...(status ? { status } : {}),
  }) as Definition
const granted = (wanted: ReturnType<typeof names>, group?: string) =>
  definition(wanted, { acceptedNames: wanted }, group)
const told = (status: Definition['status']) =>
  status?.conditions?.map(({ type, status: is, reason, message }) => `${type}=${is} ${reason}: ${message}`)

describe('names of a definition', () => {
  const crons = names('crons', 'Cron', { shortNames: ['cr'] })

  it('are all granted where nobody has them', () => {
    const status = decideNames(definition(crons), [granted(names('jobs', 'Job'))], 0)
    expect(status?.acceptedNames).toEqual(crons)
    expect(told(status)).toEqual([
      'NamesAccepted=True NoConflicts: no conflicts found',
      'Established=False Installing: the initial names have been accepted',
    ])
    expect(decideNames(definition(crons, status), [], 1000)).toBeUndefined()
  })

  it.each<[string, ReturnType<typeof names>, string]>([
    ['singular', names('others', 'Other', { singular: 'cr' }), 'SingularConflict: "cr" is already in use'],
    ['short', names('others', 'Other', { shortNames: ['x', 'cron'] }), 'ShortNamesConflict: "cron" is already in use'],
    ['kind', names('others', 'Cron', { singular: 'other' }), 'ListKindConflict: "CronList" is already in use'],
  ])('that another has are not granted: %s', (_, wanted, why) => {
    expect(told(decideNames(definition(wanted), [granted(crons)], 0))).toEqual([
      `NamesAccepted=False ${why}`,
      'Established=False NotAccepted: not all names are accepted',
    ])
    expect(told(decideNames(definition(wanted), [granted(crons, 'elsewhere.com')], 0))?.[0]).toContain('=True')
  })

  it('that were granted stay, also while a new one is in use', () => {
    const conditions = [
      { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
      { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: '' },
    ]
    const now = definition(names('crons', 'Cron', { shortNames: ['job'] }), { acceptedNames: crons, conditions })
    const status = decideNames(now, [granted(names('jobs', 'Job'))], 0)
    expect(status?.acceptedNames).toEqual(crons)
    expect(told(status)).toEqual([
      'NamesAccepted=False ShortNamesConflict: "job" is already in use',
      'Established=True InitialNamesAccepted: ',
    ])
  })

  it('that change do not take away that the kind is served', () => {
    const conditions = [
      { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: '' },
      { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
    ]
    const now = definition(names('crons', 'Cron', { shortNames: ['c'] }), { acceptedNames: crons, conditions })
    expect(told(decideNames(now, [], 0))).toEqual([
      'Established=True InitialNamesAccepted: ',
      'NamesAccepted=True NoConflicts: no conflicts found',
    ])
  })

  it('are waited for, and granted when nobody has them any more', () => {
    const refused = decideNames(definition(crons), [granted(crons)], 0)
    expect(decideNames(definition(crons, refused), [granted(crons)], 1000)).toBeUndefined()
    expect(told(decideNames(definition(crons, refused), [], 1000))).toEqual([
      'NamesAccepted=True NoConflicts: no conflicts found',
      'Established=False Installing: the initial names have been accepted',
    ])
  })

  it('that are in use by now do not undo what was said of the first', () => {
    const before = decideNames(definition(crons), [], 0)
    const now = definition({ ...crons, shortNames: ['job'] }, before)
    expect(told(decideNames(now, [granted(names('jobs', 'Job'))], 1000))).toEqual([
      'NamesAccepted=False ShortNamesConflict: "job" is already in use',
      'Established=False Installing: the initial names have been accepted',
    ])
  })

  it('stay with who has them, although another has them too', () => {
    const status = decideNames(definition(crons, { acceptedNames: crons }), [granted(crons)], 0)
    expect(told(status)?.[0]).toBe('NamesAccepted=True NoConflicts: no conflicts found')
  })

  it('that several want and nobody has been given are told together', () => {
    const wanted = names('others', 'Other', { shortNames: ['cr', 'free', 'crons'] })
    expect(told(decideNames(definition(wanted), [granted(crons)], 0))?.[0]).toBe(
      'NamesAccepted=False ShortNamesConflict: ["cr" is already in use, "crons" is already in use]',
    )
  })

  it('that are empty are nobody’s', () => {
    const nameless = { singular: '', listKind: '' }
    const status = decideNames(
      definition(names('others', 'Other', nameless)),
      [granted(names('jobs', 'Job', nameless))],
      0,
    )
    expect(told(status)?.[0]).toContain('NamesAccepted=True')
  })

  it('that are not asked for any more are given back, and what else is known stays', () => {
    const before = { acceptedNames: { ...crons, categories: ['all'] }, storedVersions: ['v1'] }
    const without = decideNames(definition(names('crons', 'Cron'), before), [], 0)
    expect(without?.acceptedNames).toEqual(names('crons', 'Cron'))
    expect(without?.storedVersions).toEqual(['v1'])
    const others = decideNames(definition({ ...crons, categories: ['mine'] }, before), [], 0)
    expect(others?.acceptedNames).toEqual({ ...crons, categories: ['mine'] })
  })

  it('that are refused are told with the time since when they are', () => {
    const times = (status: Definition['status']) =>
      status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)
    const accepted = decideNames(definition(crons), [], 0)
    const refused = decideNames(
      definition({ ...crons, shortNames: ['job'] }, accepted),
      [granted(names('jobs', 'Job'))],
      5000,
    )
    expect(times(refused)).toEqual(['1970-01-01T00:00:05Z', '1970-01-01T00:00:00Z'])
  })
})
