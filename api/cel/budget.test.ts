import { describe, expect, it } from 'vitest'
import { Budget, TooCostly, withBudget } from './budget.ts'
import { compileRule } from './resource-rules.ts'

/** The steps that a run takes. */
function stepsOf(expression: string, self: unknown): number {
  const compiled = compileRule(expression, 'bool')
  if ('fault' in compiled) throw new Error(compiled.fault)
  const enough = (steps: number): boolean => {
    try {
      compiled.run(withBudget({ self }, new Budget(steps)))
      return true
    } catch (error) {
      if (error instanceof TooCostly) return false
      throw error
    }
  }
  let [low, high] = [0, 1_000_000]
  while (low < high) {
    const middle = (low + high) >> 1
    if (enough(middle)) high = middle
    else low = middle + 1
  }
  return low
}

const items = (count: number) => Array.from({ length: count }, (_, i) => `item-${i}`)
const long = 'x'.repeat(1000)

describe('what a run pays for', () => {
  it.each<[string, string, unknown, number]>([
    ['every part that is looked at', 'self == 1', 1n, 4],
    ['a body as often as it is run', 'self.all(x, x != "")', items(100), 371],
    ['a body that is a mere value', 'self.map(x, 1) != []', items(100), 115],
    ['texts that are compared, by their letters', 'self == self', long, 203],
    ['lists that are compared, by all they hold', 'self == self', [items(100)], 142],
    ['texts that functions get', 'self.lowerAscii() != ""', long, 204],
    ['texts that are searched, ten times as much', 'self.matches("y") || true', long, 1006],
    ['lists that are walked', 'self.join("") != ""', items(100), 144],
    ['but not lists whose size is asked', 'size(self) > 0', items(100), 5],
    ['what a variable holds, where it is made and where it is used', 'cel.bind(a, self, a + a != a)', long, 607],
  ])('%s', (_, expression, self, steps) => {
    expect(stepsOf(expression, self)).toBe(steps)
  })

  it('is bounded for one run, however much is left for all', () => {
    const compiled = compileRule('self.all(a, self.all(b, self.all(c, true)))', 'bool')
    if ('fault' in compiled) throw new Error(compiled.fault)
    const budget = new Budget(1_000_000_000)
    const run = () => compiled.run(withBudget({ self: items(300) }, budget))
    expect(run).toThrow('operation cancelled: actual cost limit exceeded')
    expect(budget.isSpent).toBe(false)
  })
})
