import { notAcceptableError } from '../../api/machinery/errors.ts'

/** How an answer is to be written. */
export interface MediaType {
  format: 'json' | 'yaml'
  as: 'object' | 'Table' | 'PartialObjectMetadata'
  /** Of the transformed kind: meta.k8s.io/v1 or v1beta1. */
  asVersion: 'v1' | 'v1beta1'
  pretty: boolean
}

const plain: MediaType = { format: 'json', as: 'object', asVersion: 'v1', pretty: false }
const known = new Map<string, MediaType>()
const maxKnown = 500

/**
 * The media type to answer with. Throws 406 when none that is asked for can be had. Tables and partial metadata are
 * offered where `transforms` is true.
 */
export function negotiate(accept: string | undefined, transforms = true): MediaType {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return plain
  const key = transforms ? accept : `-${accept}`
  const cached = known.get(key)
  if (cached) return cached
  const found = parse(accept, transforms)
  if (!found) {
    throw notAcceptableError(
      'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    )
  }
  if (known.size >= maxKnown) known.clear()
  known.set(key, found)
  return found
}

function parse(accept: string, transforms: boolean): MediaType | undefined {
  const offers = accept
    .split(',')
    .map((text) => {
      const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
      const values = new Map(parameters.map((p) => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]))
      return { type: type.toLowerCase(), values, q: Number(values.get('q') ?? 1) }
    })
    .sort((a, b) => b.q - a.q)
  for (const { type, values } of offers) {
    const format = formatOf(type)
    if (!format) continue
    const as = values.get('as')
    const pretty = values.get('pretty') === '1'
    if (as === undefined) return { ...plain, format, pretty }
    if (!transforms) continue
    const version = values.get('v')
    if (values.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
    if (as === 'Table') return { format, as, asVersion: version, pretty }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      return { format, as: 'PartialObjectMetadata', asVersion: version, pretty }
    }
  }
  return undefined
}

function formatOf(type: string): MediaType['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  if (type === 'application/yaml' || type === 'application/x-yaml' || type === 'text/yaml') return 'yaml'
  return undefined
}
