import jsonPatchLibrary from 'fast-json-patch'
import { badRequestError, tooLargeError } from '../../api/machinery/errors.ts'
import { maxDepth } from '../../api/machinery/json.ts'
import { goType } from '../../api/patch/go-format.ts'
import { cloneJson, isObject, type JsonObject, ownField } from '../../api/patch/json.ts'
import { rejectedPatch } from '../../api/patch/patch-error.ts'
import { sameJson } from '../registry/json.ts'

const maxOperations = 10_000
/** As large as a request may be: thirty copies, each of all that is there, would be a thousand million times as much. */
const maxCopiedBytes = 3 << 20
const kinds: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

type Container = JsonObject | unknown[]

/**
 * RFC 6902. Returns a new object and changes neither argument. Every operation is checked here first, because the
 * library, unchecked, writes into prototypes and past the end of lists, and because its errors are not upstream's.
 * Throws 400 for what is not a patch, 413 beyond 10,000 operations, 422 for an operation that does not apply and for what
 * makes too much of the object.
 */
export function jsonPatch(current: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) {
    throw badRequestError(`json: cannot unmarshal ${jsonType(patch)} into Go value of type jsonpatch.Patch`)
  }
  if (patch.length > maxOperations) {
    throw tooLargeError(`The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`)
  }
  let document: unknown = cloneJson(current)
  const copied: Copied = { bytes: 0 }
  for (const operation of patch) document = applyOne(document as Container, operation, copied)
  if (!isObject(document)) throw rejectedPatch('the patched document is not an object')
  if (isTooDeep(document)) throw rejectedPatch(`exceeded max depth of ${maxDepth}`)
  return document
}

/** What the copies of a patch come to. */
interface Copied {
  bytes: number
}

/** Each operation may reach a little deeper than the one before: deeper than any request. */
function isTooDeep(document: JsonObject): boolean {
  let level: unknown[] = [document]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return true
    level = level.flatMap((value) =>
      Object.values(value as object).filter((inner) => typeof inner === 'object' && inner !== null),
    )
  }
  return false
}

function applyOne(document: Container, operation: unknown, sofar: Copied): unknown {
  if (!isObject(operation)) {
    throw badRequestError(`json: cannot unmarshal ${jsonType(operation)} into Go value of type jsonpatch.Operation`)
  }
  const { op } = operation
  if (!kinds.has(op)) throw rejectedPatch(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`)
  const path = pointerOf(operation, 'path')
  // An absent value counts as null, as upstream has it. The library keeps a value by reference: give it a copy.
  const value = cloneJson(operation.value ?? null)
  switch (op) {
    case 'test':
      test(document, path, value)
      return document
    case 'add':
      return insert(
        document,
        path,
        value,
        `add operation does not apply: doc is missing path: "${path}": ${missing}`,
        `error in add for path: '${path}'`,
      )
    case 'remove':
      return take(
        document,
        path,
        `remove operation does not apply: doc is missing path: "${path}": ${missing}`,
        () => `error in remove for path: '${path}'`,
      ).document
    case 'replace':
      return replace(document, path, value)
    case 'copy': {
      const from = pointerOf(operation, 'from')
      const copied = read(
        document,
        from,
        `copy operation does not apply: doc is missing from path: ${from}: ${missing}`,
        `error in copy for from: '${from}'`,
      )
      sofar.bytes += JSON.stringify(copied ?? null).length
      if (sofar.bytes > maxCopiedBytes) {
        throw rejectedPatch(
          `Unable to complete the copy, the accumulated size increase of copy is ${sofar.bytes}, exceeding the limit ${maxCopiedBytes}`,
        )
      }
      return insert(
        document,
        path,
        cloneJson(copied ?? null),
        `copy operation does not apply: doc is missing destination path: ${path}: ${missing}`,
        'error while adding value during copy',
      )
    }
    default: {
      const from = pointerOf(operation, 'from')
      const taken = take(
        document,
        from,
        `move operation does not apply: doc is missing from path: ${from}: ${missing}`,
        (key) => `error in move for path: '${key}'`,
      )
      return insert(
        taken.document as Container,
        path,
        taken.value,
        `move operation does not apply: doc is missing destination path: ${path}: ${missing}`,
        `error in move for path: '${path}'`,
      )
    }
  }
}

const missing = 'missing value'

function pointerOf(operation: JsonObject, field: 'path' | 'from'): string {
  const pointer = operation[field]
  if (typeof pointer === 'string') return pointer
  throw rejectedPatch(
    `${operation.op} operation failed to decode ${field}: operation missing ${field} field: ${missing}`,
  )
}

const run = (document: Container, operation: { op: 'add' | 'remove' | 'replace'; path: string; value?: unknown }) =>
  // Every step was found to be the object's own, so the library's check by name alone would only refuse honest keys.
  jsonPatchLibrary.applyOperation<unknown>(
    document,
    operation as Parameters<typeof jsonPatchLibrary.applyOperation>[1],
    false,
    true,
    false,
  )

function insert(document: Container, path: string, value: unknown, ifMissing: string, context: string): unknown {
  const { container, key, prefix } = find(document, path, ifMissing)
  if (!Array.isArray(container)) return run(document, { op: 'add', path: at(prefix, key), value }).newDocument
  const index = key === '-' ? container.length : position(container.length + 1, key)
  if (typeof index === 'string') {
    throw rejectedPatch(
      `${context}: ${isInteger(key) ? index : `value was not a proper array index: '${key}': ${index}`}`,
    )
  }
  return run(document, { op: 'add', path: at(prefix, index), value }).newDocument
}

function take(document: Container, path: string, ifMissing: string, context: (key: string) => string) {
  const { container, key, prefix } = find(document, path, ifMissing)
  let step: string | number = key
  if (Array.isArray(container)) {
    const index = position(container.length, key)
    if (typeof index === 'string') throw rejectedPatch(`${context(key)}: ${index}`)
    step = index
  } else if (!Object.hasOwn(container, key)) {
    throw rejectedPatch(`${context(key)}: Unable to remove nonexistent key: ${key}: ${missing}`)
  }
  const { newDocument, removed } = run(document, { op: 'remove', path: at(prefix, step) })
  return { document: newDocument, value: removed as unknown }
}

function replace(document: Container, path: string, value: unknown): unknown {
  if (path === '') {
    if (isObject(value)) return value
    throw rejectedPatch('replace operation value must be object or array')
  }
  const missingPath = `replace operation does not apply: doc is missing path: ${path}: ${missing}`
  const { container, key, prefix } = find(document, path, missingPath)
  let step: string | number = key
  if (Array.isArray(container)) {
    const index = position(container.length, key)
    if (typeof index === 'string') {
      throw rejectedPatch(`replace operation does not apply: doc is missing key: ${path}: ${missing}`)
    }
    step = index
  }
  // A field that is not there is set all the same, as upstream's library does.
  return run(document, { op: 'replace', path: at(prefix, step), value }).newDocument
}

function test(document: Container, path: string, value: unknown): void {
  const found =
    path === ''
      ? document
      : read(
          document,
          path,
          `test operation does not apply: is missing path: ${path}: ${missing}`,
          `error in test for path: '${path}'`,
        )
  if (!sameJson(found ?? null, value)) throw rejectedPatch(`testing value ${path} failed: test failed`)
}

function read(document: Container, path: string, ifMissing: string, context: string): unknown {
  const { container, key } = find(document, path, ifMissing)
  if (!Array.isArray(container)) return ownField(container, key)
  const index = position(container.length, key)
  if (typeof index === 'string') throw rejectedPatch(`${context}: ${index}`)
  return container[index]
}

interface Place {
  container: Container
  /** The last step, unescaped. */
  key: string
  /** Pointer of the container, with list positions made plain. */
  prefix: string
}

/** Where the last step of a pointer is to be looked up. Throws 422 with `ifMissing` if the way there is broken. */
function find(document: Container, pointer: string, ifMissing: string): Place {
  const steps = pointer.split('/').map(decodeStep)
  const key = steps.at(-1) as string
  if (steps.length < 2 || key === '__proto__') throw rejectedPatch(ifMissing)
  let container: unknown = document
  let prefix = ''
  for (const step of steps.slice(1, -1)) {
    const index: number | string = Array.isArray(container) ? position(container.length, step) : step
    if (Array.isArray(container)) container = typeof index === 'number' ? container[index] : undefined
    else container = step === '__proto__' ? undefined : ownField(container as JsonObject, step)
    if (typeof container !== 'object' || container === null) throw rejectedPatch(ifMissing)
    prefix = at(prefix, index)
  }
  return { container: container as Container, key, prefix }
}

const decodeStep = (step: string) => (step.includes('~') ? step.replaceAll('~1', '/').replaceAll('~0', '~') : step)

const at = (prefix: string, step: string | number) =>
  `${prefix}/${typeof step === 'number' ? step : step.replaceAll('~', '~0').replaceAll('/', '~1')}`

const isInteger = (key: string) => /^[+-]?\d+$/.test(key)

/** An index into a list, counted from the end if negative; otherwise why it is none. */
function position(size: number, key: string): number | string {
  if (!isInteger(key)) return `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`
  const index = Number(key)
  if (index >= size || index < -size) return `Unable to access invalid index: ${index}: invalid index referenced`
  return index < 0 ? index + size : index
}

const typeNames: Record<string, string> = {
  '[]interface {}': 'array',
  'map[string]interface {}': 'object',
  int64: 'number',
  float64: 'number',
}
const jsonType = (value: unknown) => typeNames[goType(value)] ?? (value === null ? 'null' : goType(value))
