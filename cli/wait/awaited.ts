import { findPath } from '../../api/machinery/json-path.ts'
import { CliError } from '../errors.ts'
import type { NamedObject } from '../objects.ts'
import { printValue } from '../print/jsonpath.ts'

/** What is waited for of an object. */
export type Awaited =
  | { type: 'create' }
  | { type: 'delete' }
  | { type: 'condition'; name: string; value: string }
  /** Without a value: anything there. */
  | { type: 'path'; find: (object: unknown) => unknown[]; value: string | undefined }

/** Reads the values of `--for`; that an object is made comes first. Throws for what is no condition. */
export function parseAwaited(texts: readonly string[]): Awaited[] {
  if (texts.length === 0)
    throw new CliError('unrecognized condition: []; say what for: --for=condition=Ready, --for=delete, --for=create')
  const awaited = texts.map(parseOne)
  return [...awaited.filter(({ type }) => type === 'create'), ...awaited.filter(({ type }) => type !== 'create')]
}

function parseOne(text: string): Awaited {
  const word = text.toLowerCase()
  if (word === 'create' || word === 'delete') return { type: word }
  const condition = /^condition=([^=]+)(?:=(.*))?$/s.exec(text)
  if (condition) return { type: 'condition', name: condition[1] as string, value: condition[2] ?? 'true' }
  const path = /^jsonpath=(\{.*\}|[^=]+)(?:=(.*))?$/s.exec(text)
  if (path) {
    if (path[2] === '') throw new CliError('jsonpath wait has to have a value after equal sign')
    return { type: 'path', find: findPath(path[1] as string), value: path[2] }
  }
  throw new CliError(
    `unrecognized condition: ${JSON.stringify(text)}; write create, delete, condition=NAME or jsonpath='{PATH}'=VALUE`,
  )
}

interface Conditioned {
  metadata: { generation?: number }
  status?: {
    observedGeneration?: number
    conditions?: { type: string; status: string; observedGeneration?: number }[]
  }
}

/** Whether it is so of the object; `uid` is of the one that was there at first. */
export function isSo(awaited: Awaited, object: NamedObject | undefined, uid: string | undefined): boolean {
  if (awaited.type === 'create') return object !== undefined
  if (awaited.type === 'delete') return !object || object.metadata.uid !== uid
  if (!object) return false
  if (awaited.type === 'path') {
    const found = awaited.find(object)
    if (awaited.value === undefined) return found.length > 0
    return found.length === 1 && printValue(found[0]) === awaited.value
  }
  const { metadata, status } = object as unknown as Conditioned
  const condition = status?.conditions?.find(({ type }) => type.toLowerCase() === awaited.name.toLowerCase())
  if (!condition) return false
  // A condition of an earlier generation says nothing of this one.
  const observed = condition.observedGeneration ?? status?.observedGeneration
  if (observed !== undefined && observed < (metadata.generation ?? 0)) return false
  return condition.status.toLowerCase() === awaited.value.toLowerCase()
}
