import type { Plugin } from '../framework/plugin.ts'

/** The higher priority first; among equals, who has waited longer. */
export const prioritySort: Plugin = {
  name: 'PrioritySort',
  queueSort: (a, b) => b.pod.priority - a.pod.priority || a.queuedAt - b.queuedAt,
}
