import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { StatusError } from '../../api/machinery/errors.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { WhileDoing } from '../errors.ts'
import { nearest } from '../nearest.ts'

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
  const refusal = error instanceof WhileDoing ? error.refusal : error
  if (!(refusal instanceof StatusError)) return []
  const unknown = Array.from(refusal.message.matchAll(/unknown field "([^"]+)"/g), ([, path]) => path ?? '')
  const invalid = (refusal.details?.causes ?? []).flatMap(({ field }) => (field ? [field] : []))
  const lines = new LineCounter()
  const document = parseDocument(manifest.text, { lineCounter: lines, keepSourceTokens: false })
  return [...new Set([...unknown, ...invalid])].flatMap((path) => {
    const steps = stepsOf(path)
    const offset = offsetOf(document.contents, [...(manifest.within ?? []), ...steps])
    if (offset === undefined) return []
    const { line, col } = lines.linePos(offset)
    const field = steps.at(-1)
    const meant =
      unknown.includes(path) && schema ? nearest(String(field), fieldsAt(schema, steps.slice(0, -1))) : undefined
    return [
      `  ${manifest.source}:${line + manifest.linesBefore}:${col}: ${path}${meant ? `: did you mean "${meant}"?` : ''}`,
    ]
  })
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
