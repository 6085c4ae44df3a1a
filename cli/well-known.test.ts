import { expect, test } from 'vitest'
import { builtinKinds } from '../api/registry.ts'
import { wellKnown, wellKnownKinds } from './well-known.ts'

test('the kinds that need not be asked for are as the server serves them', () => {
  for (const { group, version, kind, plural, singular, namespaced, shortNames } of wellKnownKinds) {
    const served = builtinKinds.find((resource) => resource.group === group && resource.plural === plural)
    expect([kind, served?.version, served?.kind]).toEqual([kind, version, kind])
    expect([kind, served?.namespaced, served?.singular, served?.shortNames ?? []]).toEqual([
      kind,
      namespaced,
      singular,
      shortNames,
    ])
  }
})

test.each([
  [['pods'], true],
  [['po,svc', 'web'], true],
  [['deploy/web', 'cm/settings'], true],
  [['deploy/web', 'widget/one'], false],
  [['pods,widgets'], false],
  [['deployments.apps'], false],
  [['all'], false],
])('%j needs no question: %s', (words, is) => {
  expect(wellKnown(words) !== undefined).toBe(is)
})
