import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { StatusError } from '../../api/machinery/errors.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { WhileDoing } from '../errors.ts'
import { UnknownKind } from '../kinds.ts'
import { nearest } from '../nearest.ts'
import { wrongValue } from './in-values.ts'

/** The text that an object of a manifest was read from. */
export interface ManifestText {
  source: string
  text: string
  /** How many lines of the file are before it. */
  linesBefore: number
  /** Where in the text the object is. */
  within?: readonly (string | number)[]
}

/** Where in a file the fields are that a refusal names, a line each, and what was meant by one that there is not. */
export function placesOf(error: unknown, manifest: ManifestText, schema: Schema | undefined): string[] {
  if (error instanceof UnknownKind) {
    const place = fieldPlace(manifest, [error.field])
    return place === undefined ? [] : [`  ${place}: ${error.field}`]
  }
  const refusal = error instanceof WhileDoing ? error.refusal : error
  if (!(refusal instanceof StatusError)) return []
  const unknown = Array.from(refusal.message.matchAll(/unknown field "([^"]+)"/g), ([, path]) => path ?? '')
  const invalid = (refusal.details?.causes ?? []).flatMap(({ field }) => (field ? [field] : []))
  const { root, lines } = parsed(manifest)
  const wrong = wrongValue(refusal.message, root, schema)
  if (wrong) return [`  ${placeAt(manifest, lines, wrong.offset)}: ${wrong.path}: ${wrong.instead}`]
  return [...new Set([...unknown, ...invalid])].flatMap((path) => {
    const steps = stepsOf(path)
    const offset = offsetOf(root, steps) ?? (manifest.within ? root?.range?.[0] : undefined)
    if (offset === undefined) return []
    const meant =
      unknown.includes(path) && schema ? nearest(String(steps.at(-1)), fieldsAt(schema, steps.slice(0, -1))) : undefined
    return [`  ${placeAt(manifest, lines, offset)}: ${path}${meant ? `: did you mean "${meant}"?` : ''}`]
  })
}

/** `web.yaml:3:1`, where a field stands; undefined for one that does not. */
export function fieldPlace(manifest: ManifestText, steps: readonly string[]): string | undefined {
  const { root, lines } = parsed(manifest)
  const offset = offsetOf(root, steps)
  return offset === undefined ? undefined : placeAt(manifest, lines, offset)
}

/** The node of the object, and the lines of the text it stands in. */
function parsed({ text, within = [] }: ManifestText): { root: Node | null; lines: LineCounter } {
  const lines = new LineCounter()
  const { contents } = parseDocument(text, { version: '1.1', lineCounter: lines, keepSourceTokens: false })
  let root: unknown = contents
  for (const step of within) root = isMap(root) || isSeq(root) ? root.get(step, true) : null
  return { root: (root ?? null) as Node | null, lines }
}

function placeAt({ source, linesBefore }: ManifestText, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${source}:${line + linesBefore}:${col}`
}

/** `spec.containers[0].image` and `data[a.b]` as steps. */
export function stepsOf(path: string): (string | number)[] {
  return Array.from(path.matchAll(/\[(\d+)\]|\[([^\]]*)\]|([^.[\]]+)/g), ([, index, key, name]) =>
    index === undefined ? (key ?? name ?? '') : Number(index),
  )
}

/** Where the name of the field stands, or the item; of a field that is missing, where it would belong. */
function offsetOf(root: Node | null, steps: readonly (string | number)[]): number | undefined {
  let node: Node | null = root
  let offset: number | undefined
  for (const step of steps) {
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => String((key as { value?: unknown } | null)?.value ?? key) === String(step),
      )
      if (!pair) return offset
      offset = (pair.key as Node).range?.[0]
      node = pair.value as Node | null
    } else if (isSeq(node)) {
      node = (node.items[Number(step)] ?? null) as Node | null
      if (!node) return offset
      offset = node.range?.[0]
    } else return offset
  }
  return offset
}

/** The names of the fields there are at a place of a kind. */
function fieldsAt(schema: Schema, steps: readonly (string | number)[]): string[] {
  let at: Schema | undefined = schema
  for (const step of steps) {
    if (typeof step === 'number') at = at?.items
    else at = at?.properties?.get(step) ?? at?.values
  }
  return [...(at?.properties?.keys() ?? [])]
}
