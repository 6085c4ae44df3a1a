import type { Plugin } from './plugin.ts'

export interface Weighted {
  readonly plugin: Plugin
  /** Of its score among the others'. */
  readonly weight: number
}

/** Upstream's extension points. Each is a method of {@link Plugin}; some bring others along. */
export const extensionPoints = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
] as const

export type Point = (typeof extensionPoints)[number]

/** Which plugins take part in each point, in their order. */
export type PluginPoints = Readonly<Record<Point, readonly Weighted[]>>

/** Whether a plugin has anything to do at a point: one that only lets go of something has to be told. */
export const takesPart = (plugin: Plugin, point: Point): boolean =>
  plugin[point] !== undefined || (point === 'reserve' && plugin.unreserve !== undefined)

/** Every plugin at every point that it can take part in. */
export const allPoints = (plugins: readonly Weighted[]): PluginPoints =>
  Object.fromEntries(
    extensionPoints.map((point) => [point, plugins.filter(({ plugin }) => takesPart(plugin, point))]),
  ) as unknown as PluginPoints
