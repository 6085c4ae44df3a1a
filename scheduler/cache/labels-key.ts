import type { Labels } from '../../api/machinery/labels.ts'
import { remembered } from '../../api/machinery/remembered.ts'

/** A text that is the same for the same labels. No label holds the separators. */
export const labelsKey: (labels: Labels) => string = remembered((labels: Labels) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}\t${value}`)
    .sort()
    .join('\n'),
)
