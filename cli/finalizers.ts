import { kindName, type ServedKind } from './kinds.ts'
import type { NamedObject } from './objects.ts'

/** What keeps an object that was deleted, and what to do; undefined: nothing that it says. */
export function keptBy(kind: ServedKind, { metadata }: NamedObject): string | undefined {
  const { name, namespace, deletionTimestamp, finalizers = [] } = metadata
  if (!deletionTimestamp || finalizers.length === 0) return undefined
  const of = `${kindName(kind)} ${name}${namespace ? ` -n ${namespace}` : ''}`
  if (finalizers.includes('foregroundDeletion'))
    return `it goes once all that it owns has gone: \`gantry tree ${of}\` shows that`
  const [which, it] = finalizers.length === 1 ? ['finalizer', 'it'] : ['finalizers', 'them']
  const patch = `gantry patch ${of} --type=merge -p '{"metadata":{"finalizers":null}}'`
  return `it is kept by the ${which} ${finalizers.join(', ')}: whoever set ${it} should take ${it} away. If nobody is left who would: ${patch}`
}
