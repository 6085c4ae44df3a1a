import { child, type FieldError, index, invalid } from '../../api/machinery/field-errors.ts'
import type { Plugin } from '../framework/plugin.ts'
import { extensionPoints, type PluginPoints, type Point, takesPart, type Weighted } from '../framework/points.ts'
import { defaultPlugins, defaultWeights, type PluginName, pluginMakers } from '../profile.ts'
import type { KubeSchedulerProfile, PluginSet } from './types.ts'

/** Plugins of a profile by name. */
export type Plugins = ReadonlyMap<string, Plugin>

interface Chosen {
  readonly name: PluginName
  readonly weight: number
}

/** Upstream's plugins that have nothing to be switched off here. */
const absent = new Set(['GangScheduling', 'NodeDeclaredFeatures', 'PodGroupPodsCount', 'TopologyPlacementGenerator'])

/** Every plugin that the sets of a profile name, or leave on. */
export const wantedPlugins = ({ plugins = {} }: KubeSchedulerProfile): readonly PluginName[] => {
  const named = extensionPoints.flatMap((point) => (plugins[point]?.enabled ?? []).map(chosenOf))
  return [...new Set([...mergedDefaults(plugins.multiPoint ?? {}), ...named].map(({ name }) => name))]
}

/** Names in the sets of a profile that no plugin has. */
export function unknownPlugins({ plugins = {} }: KubeSchedulerProfile, path: string): FieldError[] {
  const at = child(path, 'plugins')
  return Object.entries(plugins).flatMap(([point, set]) => unknownNames(set, child(at, point)))
}

/**
 * Which plugins take part in which points of a profile, by upstream's rules: what a point names itself comes before what
 * multiPoint names, and that before the defaults. Faults name the field.
 */
export function pluginPoints(
  { plugins: sets = {} }: KubeSchedulerProfile,
  plugins: Plugins,
  path: string,
): { points: PluginPoints; errors: FieldError[] } {
  const at = child(path, 'plugins')
  const errors: FieldError[] = []
  const everywhere = mergedDefaults(sets.multiPoint ?? {})
  const can = (name: string, point: Point) => takesPart(pluginOf(plugins, name), point)
  const points: Partial<Record<Point, readonly Weighted[]>> = {}
  for (const point of extensionPoints) {
    const { enabled = [], disabled = [] } = sets[point] ?? {}
    const named = enabled.map(chosenOf)
    for (const [i, { name }] of named.entries()) {
      const enabledPath = index(child(at, point, 'enabled'), i)
      if (!can(name, point)) errors.push(invalid(enabledPath, name, `does not extend ${point}`))
      if (named.findIndex((other) => other.name === name) < i)
        errors.push(invalid(enabledPath, name, 'is enabled twice'))
    }
    const off = new Set(disabled.map(({ name }) => name))
    const usual = off.has('*') ? [] : everywhere.filter(({ name }) => can(name, point) && !off.has(name))
    points[point] = inOrder(named, usual).map(({ name, weight }) => ({ plugin: pluginOf(plugins, name), weight }))
  }
  const all = points as PluginPoints
  return { points: all, errors: errors.length > 0 ? errors : incomplete(all, at) }
}

/** What was there already and is named again goes first, then the rest of the usual ones, then what is new. */
function inOrder(named: readonly Chosen[], usual: readonly Chosen[]): Chosen[] {
  const isIn = (list: readonly Chosen[]) => (each: Chosen) => list.some(({ name }) => name === each.name)
  const isNamed = isIn(named)
  const isUsual = isIn(usual)
  return [
    ...named.filter(isUsual),
    ...usual.filter((each) => !isNamed(each)),
    ...named.filter((each) => !isUsual(each)),
  ]
}

function pluginOf(plugins: Plugins, name: string): Plugin {
  const plugin = plugins.get(name)
  if (!plugin) throw new Error(`plugin ${name} was not made`)
  return plugin
}

const chosenOf = ({ name, weight }: { name: string; weight?: number }): Chosen => ({
  name: name as PluginName,
  weight: weight || 1,
})

/** The defaults, some of them said anew, some left out, and others after them. */
function mergedDefaults({ enabled = [], disabled = [] }: PluginSet): Chosen[] {
  const off = new Set(disabled.map(({ name }) => name))
  const named = enabled.map(chosenOf)
  const usual = off.has('*') ? [] : defaultPlugins.filter((name) => !off.has(name))
  const kept = usual.map(
    (name) => named.find((one) => one.name === name) ?? { name, weight: defaultWeights[name] ?? 1 },
  )
  return [...kept, ...named.filter(({ name }) => !usual.includes(name))]
}

function unknownNames({ enabled = [], disabled = [] }: PluginSet, path: string): FieldError[] {
  const isKnown = (name: string) => Object.hasOwn(pluginMakers, name)
  const known = Object.keys(pluginMakers).sort().join(', ')
  const fault = (list: string, i: number, name: string) =>
    invalid(child(index(child(path, list), i), 'name'), name ?? '', `there is no such plugin; there are ${known}`)
  return [
    ...enabled.flatMap(({ name }, i) => (isKnown(name) ? [] : [fault('enabled', i, name)])),
    ...disabled.flatMap(({ name }, i) =>
      isKnown(name) || name === '*' || absent.has(name) ? [] : [fault('disabled', i, name)],
    ),
  ]
}

/** A plugin that looks at a pod first, and then at nodes, does either both or neither. */
const together: readonly (readonly [first: Point, then: Point])[] = [
  ['preFilter', 'filter'],
  ['preScore', 'score'],
]

function incomplete(points: PluginPoints, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [first, then] of together) {
    const prepared = new Set(points[first].map(({ plugin }) => plugin))
    for (const { plugin } of points[then]) {
      if (!plugin[first] || prepared.has(plugin)) continue
      errors.push(invalid(child(path, first), plugin.name, `has to be enabled here as well, for it is at ${then}`))
    }
  }
  if (points.queueSort.length !== 1) {
    errors.push(invalid(child(path, 'queueSort'), points.queueSort.length, 'exactly one plugin sorts the queue'))
  }
  if (points.bind.length === 0) errors.push(invalid(child(path, 'bind'), 0, 'at least one plugin has to bind pods'))
  return errors
}
