// Writes api/generated/ from the published v1.36 model files (a development dependency) and the facts in
// api/schema/facts.ts: schemas.json (structure), descriptions.json (prose, loaded only when asked for) and types.ts.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const models = join(root, 'node_modules/kubernetes-models-source/dist/gen/models')
const out = join(root, 'api/generated')
mkdirSync(out, { recursive: true })

const facts = await importTypeScript(join(root, 'api/schema/facts.ts'))
const words = (text) => text.split(/\s+/).filter(Boolean)
const shortPackage = (pkg) =>
  pkg
    .replace('io.k8s.apimachinery.pkg.apis.', '')
    .replace('io.k8s.apiextensions-apiserver.pkg.apis.', '')
    .replace('io.k8s.kube-aggregator.pkg.apis.', '')
    .replace('io.k8s.apimachinery.pkg.', '')
    .replace('io.k8s.api.', '')

const atomicLists = new Set(words(facts.atomicLists))
const atomicTypes = new Set(words(facts.atomicTypes))
const atomicMaps = new Set(words(facts.atomicMaps))
const granularFields = new Set(words(facts.granularFields))
const quantities = new Set(words(facts.quantities))
const rawObjects = new Set(words(facts.rawObjects))
const writtenEmpty = new Set(words(facts.writtenEmpty))
/** The scalars and lists that have a number in upstream's protobuf form and no star. */
const omitted = new Set()
let holder
const { fieldNumbers } = await importTypeScript(join(root, 'api/schema/field-numbers.ts'))
for (const word of words(fieldNumbers)) {
  const [field, number] = word.split('=')
  if (number === undefined) holder = field
  else if (!number.endsWith('*')) omitted.add(`${holder}.${field}`)
}
const mayBeOmitted = new Set(['string', 'bytes', 'integer', 'number', 'boolean', 'array'])
const merging = new Map(
  facts.mergingLists
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' '))
    .map(([field, listType, keys, strategy, mergeKey]) => [field, { listType, keys, strategy, mergeKey }]),
)

// Types that are JSON scalars, or have a shape of their own on the wire.
const wireForms = {
  'meta.v1.Time': { type: 'time' },
  'meta.v1.MicroTime': { type: 'microTime' },
  'meta.v1.Duration': { type: 'string' },
  'meta.v1.FieldsV1': { type: 'any' },
  'meta.v1.Patch': { type: 'any' },
  'resource.Quantity': { type: 'quantity' },
  'util.intstr.IntOrString': { type: 'intOrString' },
  'runtime.RawExtension': { type: 'any' },
  'apiextensions.v1.JSON': { type: 'any' },
  'apiextensions.v1.JSONSchemaPropsOrBool': { type: 'any' },
  'apiextensions.v1.JSONSchemaPropsOrArray': { type: 'any' },
  'apiextensions.v1.JSONSchemaPropsOrStringArray': { type: 'any' },
}

const files = new Set(readdirSync(models))
/** The model class of a type: `V1Pod`, or `CoreV1Event` where two packages share a name. */
function classOf(pkg, name) {
  const version = pkg.match(/v\d\w*$/)?.[0] ?? ''
  const plain = `V${version.slice(1)}${name}`
  const group = shortPackage(pkg).split('.')[0]
  const qualified = `${group[0].toUpperCase()}${group.slice(1)}${plain}`
  if (files.has(`${qualified}.js`)) return qualified
  if (files.has(`${plain}.js`)) return plain
  return undefined
}

const nameOfClass = new Map()
const types = []
for (const [pkg, names] of Object.entries(facts.packages)) {
  for (const name of words(names)) {
    const short = `${shortPackage(pkg)}.${name}`
    const cls = classOf(pkg, name)
    const type = { definition: `${pkg}.${name}`, short, name, cls }
    types.push(type)
    if (cls) nameOfClass.set(cls, type)
  }
}

const definitions = {}
const descriptions = {}
for (const type of types) {
  if (wireForms[type.short]) continue
  if (!type.cls) {
    // Types without fields are not published.
    continue
  }
  const source = readFileSync(join(models, `${type.cls}.d.ts`), 'utf8')
  const { [type.cls]: model } = await import(pathToFileURL(join(models, `${type.cls}.js`)).href)
  const comments = commentsOf(source)
  const definition = { properties: {} }
  const prose = { '': comments.type }
  const required = []
  for (const attribute of model.attributeTypeMap) {
    const field = `${type.short}.${attribute.baseName}`
    const schema = fieldSchema(field, attribute)
    definition.properties[attribute.baseName] = schema
    prose[attribute.baseName] = comments.fields.get(attribute.name)?.text
    if (comments.fields.get(attribute.name)?.required) required.push(attribute.baseName)
    else if (mayBeOmitted.has(schema.type) && omitted.has(field) && !writtenEmpty.has(field)) schema.omitsEmpty = true
  }
  if (required.length > 0) definition.required = required
  if (atomicTypes.has(type.short)) definition.atomic = true
  definitions[type.definition] = definition
  descriptions[type.definition] = prose
}

writeFileSync(join(out, 'schemas.json'), JSON.stringify(definitions))
writeFileSync(join(out, 'descriptions.json'), JSON.stringify(descriptions))
writeFileSync(join(out, 'types.ts'), typeDeclarations())

function fieldSchema(field, { type, format }) {
  const schema = quantities.has(field) ? asQuantity(parseType(type, format)) : parseType(type, format)
  if (rawObjects.has(field)) return { type: 'any' }
  if (atomicLists.has(field)) schema.listType = 'atomic'
  if (atomicMaps.has(field)) schema.atomic = true
  if (granularFields.has(field)) schema.atomic = false
  const merge = merging.get(field)
  if (merge) {
    if (merge.listType !== '-') schema.listType = merge.listType
    if (merge.keys !== '-') schema.listMapKeys = merge.keys.split(',')
    if (merge.strategy !== '-') schema.patchStrategy = merge.strategy
    if (merge.mergeKey !== '-') schema.patchMergeKey = merge.mergeKey
  }
  if (field in facts.declaredDefaults) schema.default = facts.declaredDefaults[field]
  return schema
}

function asQuantity(schema) {
  if (schema.type === 'map') return { type: 'map', values: { type: 'quantity' } }
  if (schema.type === 'array') return { type: 'array', items: { type: 'quantity' } }
  return { type: 'quantity' }
}

function parseType(type, format) {
  const list = type.match(/^Array<(.*)>$/)
  if (list) return { type: 'array', items: parseType(list[1], format) }
  const map = type.match(/^\{ \[key: string\]: (.*); \}$/)
  if (map) return { type: 'map', values: parseType(map[1], format) }
  if (type === 'any' || type === 'object') return { type: 'any' }
  if (type === 'IntOrString') return { type: 'intOrString' }
  if (type === 'Date') return { type: 'time' }
  if (type === 'V1MicroTime') return { type: 'microTime' }
  if (type === 'boolean') return { type: 'boolean' }
  if (type === 'number')
    return format === 'double' ? { type: 'number' } : { type: 'integer', format: format || 'int64' }
  if (type === 'string') return format === 'byte' ? { type: 'bytes' } : { type: 'string' }
  const known = nameOfClass.get(type)
  if (!known) throw new Error(`unknown type ${type}`)
  return { ...(wireForms[known.short] ?? { ref: known.definition }) }
}

function commentsOf(source) {
  const body = source.slice(source.indexOf('declare class'))
  const type = plainText(
    source.slice(0, source.indexOf('export declare class')).match(/\/\*\*\n\* ([\s\S]*?)\n\*\/\s*$/)?.[1],
  )
  const fields = new Map()
  for (const [, comment, name, optional] of body.matchAll(
    /(?:\/\*\*\n\s*\* ([\s\S]*?)\n\s*\*\/\n\s*)?'([^']+)'(\?)?: /g,
  )) {
    fields.set(name, { text: plainText(comment), required: optional !== '?' })
  }
  return { type, fields }
}

function plainText(text) {
  return text?.replace(/\n\s*\* ?/g, '\n').replace(/\\(['"\\`])/g, '$1')
}

function typeDeclarations() {
  const taken = new Map()
  for (const type of types) taken.set(type.name, (taken.get(type.name) ?? 0) + 1)
  const tsName = (definition) => {
    const type = types.find((candidate) => candidate.definition === definition)
    return taken.get(type.name) > 1 ? type.cls.replace(/^V([12])/, (_, n) => `V${n}`) : type.name
  }
  const ts = (schema) => {
    if (schema.ref) return tsName(schema.ref)
    if (schema.type === 'array') return `${wrap(ts(schema.items))}[]`
    if (schema.type === 'map') return `Record<string, ${ts(schema.values)}>`
    if (schema.type === 'any') return 'JsonValue'
    if (schema.type === 'integer' || schema.type === 'number') return 'number'
    if (schema.type === 'boolean') return 'boolean'
    if (schema.type === 'intOrString') return 'IntOrString'
    if (schema.type === 'quantity') return 'Quantity'
    return 'string'
  }
  const wrap = (text) => (text.includes('|') ? `(${text})` : text)
  const lines = [
    '// Generated by scripts/generate-schemas.mjs; do not edit.',
    'export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }',
    'export type IntOrString = number | string',
    'export type Quantity = string',
    '',
  ]
  for (const [definition, schema] of Object.entries(definitions)) {
    lines.push(`export interface ${tsName(definition)} {`)
    for (const [name, field] of Object.entries(schema.properties)) {
      const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`
      lines.push(`  ${key}${schema.required?.includes(name) ? '' : '?'}: ${ts(field)}`)
    }
    lines.push('}', '')
  }
  return lines.join('\n')
}

async function importTypeScript(path) {
  const { code } = transformSync(readFileSync(path, 'utf8'), { loader: 'ts', format: 'esm' })
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)
}
