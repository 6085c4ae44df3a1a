import { describe, expect, it } from 'vitest'
import { compile, newEnvironment } from './compile.ts'

const environment = newEnvironment()
const ask = (expression: string): unknown => {
  const compiled = compile(environment, expression, {
    results: ['bool', 'int', 'string', 'double'],
    maxCost: 1000,
    maxSize: 10,
  })
  return 'fault' in compiled ? compiled.fault : compiled.run({})
}

describe('versions', () => {
  it('are ordered as semver.org has it', () => {
    const order = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.2.0',
      '1.10.0',
    ]
    for (const [i, version] of order.entries()) {
      const next = order[i + 1] ?? '2.0.0'
      expect([version, ask(`semver("${version}").compareTo(semver("${next}"))`)]).toEqual([version, -1n])
      expect([version, ask(`semver("${next}").isGreaterThan(semver("${version}"))`)]).toEqual([version, true])
    }
    expect(ask('semver("1.0.0+one") == semver("1.0.0+two")')).toBe(true)
  })

  it.each([
    ['isSemver("1.2.3-rc.1+build")', true],
    ['isSemver("v1.2.3")', false],
    ['isSemver("1.2")', false],
    ['isSemver("1.0.0-01")', false],
    ['isSemver("v01.2", true)', true],
    ['semver("v01.2", true).minor()', 2n],
  ])('%s: %s', (expression, expected) => {
    expect(ask(expression)).toBe(expected)
  })
})

describe('quantities', () => {
  it.each([
    ['quantity("50k").add(quantity("20k")) == quantity("70k")', true],
    ['quantity("50k").sub(20000).asInteger()', 30000n],
    ['quantity("1500m").isInteger()', false],
    ['quantity("1500m").asApproximateFloat()', 1.5],
    ['quantity("-1").sign()', -1n],
    ['quantity("50M").isLessThan(quantity("50Mi"))', true],
    ['isQuantity("200K")', false],
  ])('%s: %s', (expression, expected) => {
    expect(ask(expression)).toBe(expected)
  })
})

it('parts of a text are found', () => {
  expect(ask('"abc 123".find("[0-9]+")')).toBe('123')
  expect(ask('"123 abc 456".findAll("[0-9]+").size()')).toBe(2n)
  expect(ask('"123 abc 456".findAll("[0-9]+", 1)[0]')).toBe('123')
})
