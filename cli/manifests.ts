import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson, parseYaml } from '../api/machinery/json.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { CliError } from './errors.ts'
import type { Io } from './io.ts'
import { missingText, syntaxError } from './mistakes/in-syntax.ts'

/** An object of a manifest, and where it stands. */
export interface ManifestObject {
  object: AnyObject & { apiVersion: string; kind: string }
  /** The file, URL or `STDIN`. */
  source: string
  /** The document in it, and how many lines are before that. */
  text: string
  linesBefore: number
  /** Where in the document it is: in one item of a list, and so on. Nothing: it is the document. */
  within?: readonly (string | number)[]
}

const extensions = /\.(ya?ml|json)$/

/** Reads files, directories, URLs and standard input (`-`). Throws what is wrong, and in which file. */
export async function readManifests(
  names: readonly string[],
  { io, recursive = false }: { io: Io; recursive?: boolean | undefined },
): Promise<ManifestObject[]> {
  const found: ManifestObject[] = []
  for (const name of names) {
    if (name === '-') found.push(...parseManifest(await textOf(io.stdin), 'STDIN'))
    else if (/^https?:\/\//.test(name)) found.push(...parseManifest(await download(name, io.signal), name))
    else for (const file of filesOf(name, recursive)) found.push(...parseManifest(readFileSync(file, 'utf8'), file))
  }
  if (found.length === 0) throw new CliError(`there are no objects in ${names.join(', ')}`)
  return found
}

/** The objects of a text of YAML or JSON documents; lists are taken apart. */
export function parseManifest(text: string, source: string): ManifestObject[] {
  return documentsOf(text).flatMap((document) => {
    const place = { source, ...document }
    const value = parseDocument(place)
    return value === null || value === undefined ? [] : objectsOf(value as AnyObject, place)
  })
}

type Place = Omit<ManifestObject, 'object'>

/** JSON has no line that begins so: a new line in a string is written as an escape. */
function documentsOf(text: string): Omit<Place, 'source'>[] {
  let linesBefore = 0
  return text.split(/^---(?=\s|$).*$/m).map((document) => {
    const place = { text: document, linesBefore }
    linesBefore += document.split('\n').length - 1
    return place
  })
}

function parseDocument(place: Place): unknown {
  const { text } = place
  try {
    if (/^\s*\{\s*["}]/.test(text)) return parseJson(text)
    const { value, duplicates } = parseYaml(text)
    if (duplicates.length > 0) throw new Error(duplicates.join(', '))
    return value
  } catch (error) {
    throw syntaxError(error as Error, place)
  }
}

function objectsOf(value: AnyObject, place: Place): ManifestObject[] {
  const { source } = place
  if (typeof value !== 'object' || Array.isArray(value))
    throw new CliError(`error parsing ${source}: a manifest is an object with apiVersion, kind and metadata`)
  if (typeof value.kind === 'string' && value.kind.endsWith('List') && Array.isArray(value.items))
    return (value.items as AnyObject[]).flatMap((item, i) =>
      objectsOf(item, { ...place, within: [...(place.within ?? []), 'items', i] }),
    )
  for (const field of ['kind', 'apiVersion'] as const)
    if (typeof value[field] !== 'string' || value[field] === '')
      throw new CliError(
        `error validating "${source}": error validating data: ${field} not set; if you choose to ignore these errors, turn validation off with --validate=false${missingText(field, value, place)}`,
      )
  return [{ object: { ...value, metadata: value.metadata ?? {} } as ManifestObject['object'], ...place }]
}

function filesOf(path: string, recursive: boolean): string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw new CliError(`the path "${path}" does not exist`)
  if (!stat.isDirectory()) return [path]
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const files = entries.flatMap((entry) => {
    if (entry.isDirectory()) return recursive ? filesOf(join(path, entry.name), true) : []
    return extensions.test(entry.name) ? [join(path, entry.name)] : []
  })
  if (files.length === 0 && !recursive)
    throw new CliError(`error reading [${path}]: recognized file extensions are [.json .yaml .yml]`)
  return files
}

/** All that a stream has to say. */
export async function textOf(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

async function download(url: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(url, { signal })
  if (!answer.ok)
    throw new CliError(
      `unable to read URL "${url}", server reported ${answer.status} ${answer.statusText}, status code=${answer.status}`,
    )
  return answer.text()
}
