import type { ComponentType } from 'preact'
import type { Route } from '../route.ts'
import { Events } from './events.tsx'
import { Kinds } from './kinds.tsx'
import { Nodes } from './nodes.tsx'
import { ObjectPage } from './object/object.tsx'
import { Overview } from './overview/overview.tsx'
import { Pods } from './pods.tsx'
import { Workloads } from './workloads.tsx'

export interface ViewProps {
  /** What follows the view's name in the address. */
  parts: string[]
}

interface View {
  name: string
  label: string
  view: ComponentType<ViewProps>
  title: (route: Route) => string
}

/** The views in the order of the menu. */
export const views: readonly View[] = [
  { name: 'overview', label: 'Overview', view: Overview, title: () => 'Overview' },
  { name: 'workloads', label: 'Workloads', view: Workloads, title: () => 'Workloads' },
  { name: 'pods', label: 'Pods', view: Pods, title: () => 'Pods' },
  { name: 'nodes', label: 'Nodes', view: Nodes, title: () => 'Nodes' },
  { name: 'events', label: 'Events', view: Events, title: () => 'Events' },
  { name: 'kinds', label: 'Everything else', view: Kinds, title: ({ parts }) => parts[2] ?? 'All kinds' },
]

const objectView: View = { name: 'object', label: '', view: ObjectPage, title: ({ parts }) => parts[4] ?? 'Object' }

export const viewFor = ({ view }: Route): View =>
  view === 'object' ? objectView : (views.find(({ name }) => name === view) ?? (views[0] as View))
