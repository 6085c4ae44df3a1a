import { expect, test } from 'vitest'
import type { Plugin } from '../framework/plugin.ts'
import { extensionPoints, type Point } from '../framework/points.ts'
import { defaultPlugins } from '../profile.ts'
import { pluginPoints, wantedPlugins } from './plugin-points.ts'
import type { KubeSchedulerProfile } from './types.ts'

/** What each plugin takes part in, and no more of it. */
const abilities: Partial<Record<string, readonly (keyof Plugin)[]>> = {
  PrioritySort: ['queueSort'],
  SchedulingGates: ['preEnqueue'],
  NodeAffinity: ['preFilter', 'filter', 'preScore', 'score'],
  TaintToleration: ['filter', 'preScore', 'score'],
  NodeResourcesFit: ['filter', 'score'],
  ImageLocality: ['preScore', 'score'],
  DefaultBinder: ['bind'],
}
const plugins = new Map(
  defaultPlugins.map((name): [string, Plugin] => {
    const methods = (abilities[name] ?? []).map((method) => [method, () => 0])
    return [name, { name, ...Object.fromEntries(methods) }]
  }),
)

function chosen(profile: KubeSchedulerProfile) {
  const { points, errors } = pluginPoints(profile, plugins, 'profiles[0]')
  const named = (point: Point) => points[point].map(({ plugin, weight }) => `${plugin.name} ${weight}`)
  return { errors: errors.map(({ field, message }) => `${field}: ${message}`), named }
}

const names = (...all: string[]) => all.map((name) => ({ name }))

test('without a word, every plugin does all it can, in upstream’s order and with its weights', () => {
  const { errors, named } = chosen({})
  expect(errors).toEqual([])
  expect(named('filter')).toEqual(['TaintToleration 3', 'NodeAffinity 2', 'NodeResourcesFit 1'])
  expect(named('score')).toEqual(['TaintToleration 3', 'NodeAffinity 2', 'NodeResourcesFit 1', 'ImageLocality 1'])
})

test('a plugin can be left out of one point, or of all', () => {
  const { named } = chosen({
    plugins: { score: { disabled: names('NodeAffinity') }, multiPoint: { disabled: names('ImageLocality') } },
  })
  expect(named('score')).toEqual(['TaintToleration 3', 'NodeResourcesFit 1'])
  expect(named('filter')).toContain('NodeAffinity 2')
})

test('one that a point names goes first, with the weight said there', () => {
  const { named } = chosen({ plugins: { score: { enabled: [{ name: 'NodeResourcesFit', weight: 9 }] } } })
  expect(named('score')).toEqual(['NodeResourcesFit 9', 'TaintToleration 3', 'NodeAffinity 2', 'ImageLocality 1'])
  expect(named('filter')).toEqual(['TaintToleration 3', 'NodeAffinity 2', 'NodeResourcesFit 1'])
})

test('one that multiPoint names anew keeps its place', () => {
  const { named } = chosen({ plugins: { multiPoint: { enabled: [{ name: 'NodeAffinity', weight: 7 }] } } })
  expect(named('score')).toEqual(['TaintToleration 3', 'NodeAffinity 7', 'NodeResourcesFit 1', 'ImageLocality 1'])
})

test('with all switched off, there is only what is named', () => {
  const all = { disabled: names('*') }
  const { named } = chosen({
    plugins: {
      multiPoint: { ...all, enabled: names('PrioritySort', 'DefaultBinder', 'NodeResourcesFit') },
      score: all,
    },
  })
  expect(named('filter')).toEqual(['NodeResourcesFit 1'])
  expect(named('score')).toEqual([])
})

test.each<[what: string, plugins: NonNullable<KubeSchedulerProfile['plugins']>, fault: string]>([
  [
    'a plugin where it has nothing to do',
    { bind: { enabled: names('ImageLocality') } },
    'bind.enabled[0]: Invalid value: "ImageLocality": does not extend bind',
  ],
  [
    'a plugin twice',
    { score: { enabled: names('NodeAffinity', 'NodeAffinity') } },
    'score.enabled[1]: Invalid value: "NodeAffinity": is enabled twice',
  ],
  [
    'half of a plugin',
    { preScore: { disabled: names('NodeAffinity') } },
    'preScore: Invalid value: "NodeAffinity": has to be enabled here as well',
  ],
  [
    'nobody who binds',
    { bind: { disabled: names('DefaultBinder') } },
    'bind: Invalid value: 0: at least one plugin has to bind pods',
  ],
  [
    'nobody who sorts',
    { queueSort: { disabled: names('*') } },
    'queueSort: Invalid value: 0: exactly one plugin sorts',
  ],
])('%s is refused', (_what, sets, fault) => {
  expect(chosen({ plugins: sets }).errors.join()).toContain(`profiles[0].plugins.${fault}`)
})

test('only what somebody names is made', () => {
  const profile = { plugins: { multiPoint: { disabled: names('*') }, filter: { enabled: names('NodePorts') } } }
  expect(wantedPlugins(profile)).toEqual(['NodePorts'])
  expect(extensionPoints.length).toBe(12)
})
