import { describe, expect, it } from 'vitest'
import type { CustomResourceDefinition } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import { decideNames } from './accepted-names.ts'

type Definition = Stored<CustomResourceDefinition>
const names = (plural: string, kind: string, more: object = {}) => ({
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
})
