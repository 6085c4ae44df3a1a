import { basename } from 'node:path'
import { CliError } from '../errors.ts'
import type { ManifestObject } from '../manifests.ts'
import type { Generated, GeneratorOptions, Kustomization, ReadFile } from './kustomization.ts'
import { described, identityOf, known, newResource, type Resource } from './resource.ts'

interface Place {
  directory: string
  read: ReadFile
}

/** Adds what the generators of a kustomization make, or changes what is there already, as each says. */
export function generate(resources: Resource[], kustomization: Kustomization, place: Place): void {
  const { configMapGenerator = [], secretGenerator = [], generatorOptions = {} } = kustomization
  for (const [kind, list] of [
    ['ConfigMap', configMapGenerator],
    ['Secret', secretGenerator],
  ] as const) {
    for (const given of list) {
      const options = withGlobal(given.options, generatorOptions)
      const object = kind === 'ConfigMap' ? configMapOf(given, options, place) : secretOf(given, options, place)
      absorb(resources, newResource(object, !options.disableNameSuffixHash), given.behavior)
    }
  }
}

const withGlobal = (own: GeneratorOptions = {}, global: GeneratorOptions): GeneratorOptions => ({
  labels: { ...global.labels, ...own.labels },
  annotations: { ...global.annotations, ...own.annotations },
  disableNameSuffixHash: Boolean(own.disableNameSuffixHash || global.disableNameSuffixHash),
  immutable: Boolean(own.immutable || global.immutable),
})

function base(kind: string, { name, namespace }: Generated, options: GeneratorOptions): ManifestObject['object'] {
  if (!name) throw new CliError('a configmap must have a name: give its generator one')
  const { labels = {}, annotations = {}, immutable } = options
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    ...(immutable ? { immutable } : {}),
  } as ManifestObject['object']
}

function configMapOf(given: Generated, options: GeneratorOptions, place: Place): ManifestObject['object'] {
  const data: Record<string, string> = {}
  const binaryData: Record<string, string> = {}
  for (const [key, value] of valuesOf(given, place)) {
    const text = value.toString()
    if (Buffer.from(text).equals(value)) data[key] = text
    else binaryData[key] = inLines(value.toString('base64'))
  }
  return {
    ...base('ConfigMap', given, options),
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
  }
}

function secretOf(given: Generated, options: GeneratorOptions, place: Place): ManifestObject['object'] {
  const data = Object.fromEntries(
    valuesOf(given, place).map(([key, value]) => [key, inLines(value.toString('base64'))]),
  )
  return {
    ...base('Secret', given, options),
    type: given.type || 'Opaque',
    ...(Object.keys(data).length > 0 ? { data } : {}),
  }
}

/** Lines of 70 letters, where there is more than one. */
const inLines = (text: string): string => (text.length < 70 ? text : text.replace(/.{1,70}/g, '$&\n'))

function valuesOf({ name, envs = [], env, literals = [], files = [] }: Generated, { directory, read }: Place) {
  const found = [
    ...[...envs, ...(env ? [env] : [])].flatMap((path) => envLines(read(path, directory).toString())),
    ...literals.map(literal),
    ...files.map((source): [string, Buffer] => {
      const [key = '', path, ...more] = source.split('=')
      if (more.length > 0) throw new CliError(`source "${source}" key name or file path contains '='`)
      if (key === '') throw new CliError(`missing key name for file path "${path}" in source "${source}"`)
      if (path === '') throw new CliError(`missing file path for key name "${key}" in source "${source}"`)
      return path === undefined ? [basename(key), read(key, directory)] : [key, read(path, directory)]
    }),
  ]
  const seen = new Set<string>()
  for (const [key] of found) {
    if (!/^[-._a-zA-Z0-9]+$/.test(key))
      throw new CliError(`"${key}" is not a valid key name: only letters, digits, '-', '_' and '.' may be in one`)
    if (seen.has(key)) throw new CliError(`configmap ${name} illegally repeats the key \`${key}\``)
    seen.add(key)
  }
  return found
}

function literal(source: string): [string, Buffer] {
  const at = source.indexOf('=')
  if (at <= 0) throw new CliError(`invalid literal source ${source}, expected key=value`)
  return [source.slice(0, at), Buffer.from(source.slice(at + 1).replace(/^(["'])(.*)\1$/s, '$2'))]
}

const envLines = (text: string): [string, Buffer][] =>
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const at = line.indexOf('=')
      return at < 0 ? [line, Buffer.alloc(0)] : [line.slice(0, at), Buffer.from(line.slice(at + 1))]
    })

type Data = Record<string, string>

function absorb(resources: Resource[], made: Resource, behavior = 'create'): void {
  const identity = identityOf(made.object)
  const [there, another] = known(resources, identity)
  switch (behavior) {
    case 'create':
    case '':
      if (there)
        throw new CliError(
          `behavior must be merge or replace, or another name given: id ${described(identity)} exists already`,
        )
      resources.push(made)
      return
    case 'merge':
    case 'replace': {
      if (!there) throw new CliError(`id ${described(identity)} does not exist; cannot ${behavior}`)
      if (another) throw new CliError(`found multiple objects ${described(identity)} that could accept ${behavior}`)
      const [old, now] = [there.object, made.object]
      const { labels, annotations } = now.metadata
      const metadata = {
        ...old.metadata,
        ...(labels || old.metadata.labels ? { labels: { ...old.metadata.labels, ...labels } } : {}),
        ...(annotations || old.metadata.annotations
          ? { annotations: { ...old.metadata.annotations, ...annotations } }
          : {}),
      }
      const merged = (field: 'data' | 'binaryData') => {
        const values = { ...(behavior === 'merge' ? (old[field] as Data) : {}), ...(now[field] as Data) }
        return Object.keys(values).length > 0 ? { [field]: values } : {}
      }
      const { data: _, binaryData: __, ...rest } = behavior === 'merge' ? { ...old, ...now } : now
      there.object = { ...rest, metadata, ...merged('data'), ...merged('binaryData') } as ManifestObject['object']
      there.hashed ||= made.hashed
      return
    }
  }
  throw new CliError(
    `unknown behavior "${behavior}" of the generator of ${identity.name}: write create, merge or replace`,
  )
}
