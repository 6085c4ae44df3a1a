import { expect, it } from 'vitest'
import { compareVersions } from './version-order.ts'

it('puts what is stable first, then what is newer, and odd names last', () => {
  const sorted = ['v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'bar', 'foo']
  expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted)
})
