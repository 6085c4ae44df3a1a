import fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelSelectorMatcher } from '../../api/machinery/labels.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { node, podInfo } from '../testing/builders.ts'
import { countByNode } from './alike-pods.ts'
import { Cache } from './cache.ts'

const value = fc.constantFrom('a', 'b', 'c')
const labels = fc.dictionary(fc.constantFrom('app', 'version', 'tier'), value, { maxKeys: 3 })
const step = fc.oneof(
  fc.record({
    do: fc.constant('set' as const),
    name: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6'),
    namespace: fc.constantFrom('one', 'two'),
    node: fc.constantFrom('n1', 'n2', 'n3'),
    labels,
    terminating: fc.boolean(),
  }),
  fc.record({ do: fc.constant('remove' as const), name: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6') }),
)
const selector = fc.record({
  matchLabels: labels,
  matchExpressions: fc.array(
    fc.record({
      key: fc.constantFrom('app', 'version'),
      operator: fc.constantFrom('In', 'NotIn'),
      values: fc.array(value, { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
})

test('finds the pods that a look at all of them would, whatever came and went before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), selector, fc.constantFrom('one', 'two'), (steps, wanted, where) => {
      const cache = new Cache(new FakeClock())
      for (const name of ['n1', 'n2', 'n3']) cache.setNode(node({ name }))
      for (const step of steps) {
        if (step.do === 'remove') cache.removePod(step.name)
        else {
          const { name, namespace, labels, node, terminating } = step
          const metadata = terminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}
          cache.setPod(podInfo({ name, uid: name, namespace, labels, node, metadata }))
        }
      }
      const matches = labelSelectorMatcher(wanted)
      const found = countByNode(cache.alikePods.find({ namespace: where, matches, required: wanted.matchLabels }))
      const looked = cache.nodes
        .map(({ name, pods }) => ({
          name,
          count: pods.filter((pod) => pod.namespace === where && !pod.terminating && matches(pod.labels)).length,
        }))
        .filter(({ count }) => count > 0)
        .map(({ name, count }) => [name, count])
      expect([...found].map(([{ name }, count]) => [name, count]).sort()).toEqual(looked.sort())
    }),
  )
})
