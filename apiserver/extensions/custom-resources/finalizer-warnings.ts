import { isQualifiedName } from '../../../api/machinery/names.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'

const standard = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])
const path = 'metadata.finalizers'

/** Words about new finalizers that others may take for theirs. */
export function finalizerWarnings({ metadata }: AnyObject, old: AnyObject | undefined): string[] {
  const added = (metadata.finalizers ?? []).filter((name) => !old?.metadata.finalizers?.includes(name))
  return [...new Set(added)]
    .sort()
    .flatMap((name) => [
      ...isQualifiedName(name).map((fault) => `${path}: ${JSON.stringify(name)}: ${fault}`),
      ...(name.includes('/') || standard.has(name) ? [] : [preferDomain(name)]),
    ])
}

const preferDomain = (name: string): string =>
  `${path}: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name ${name.includes('.') ? 'including a path (/) ' : ''}to avoid accidental conflicts with other finalizer writers`
