/** A name of an image, taken apart: `registry/repository:tag@digest`. */
export interface Reference {
  registry: string
  repository: string
  tag?: string
  digest?: string
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const host =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+\\])'
const pattern = new RegExp(
  `^(?:(${host}(?::\\d+)?)/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}))?$`,
)
const defaultRegistry = 'docker.io'

/** Reads a name as a person writes it: `nginx` is `docker.io/library/nginx:latest`. Undefined: it is no image's name. */
export function parseReference(text: string): Reference | undefined {
  // Sixty-four hexadecimal digits are an image's id, and no name.
  if (/^[a-f0-9]{64}$/.test(text)) return undefined
  const matched = pattern.exec(text)
  if (!matched) return undefined
  let [, registry, repository = '', tag] = matched
  const digest = matched[4]
  // What stands first is a host only if it looks like one.
  if (registry !== undefined && !/[.:]/.test(registry) && registry !== 'localhost') {
    if (registry.toLowerCase() !== registry) return undefined
    repository = `${registry}/${repository}`
    registry = undefined
  }
  if (repository.length > 255) return undefined
  if (registry === undefined || registry === 'index.docker.io') {
    registry = defaultRegistry
    if (!repository.includes('/')) repository = `library/${repository}`
  }
  if (tag === undefined && digest === undefined) tag = 'latest'
  return { registry, repository, ...(tag ? { tag } : {}), ...(digest ? { digest } : {}) }
}

/** The whole name. */
export const referenceName = ({ registry, repository, tag, digest }: Reference): string =>
  `${registry}/${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`

/** The whole name of what a person wrote, or undefined if it is no image's name. */
export function normalizeReference(text: string): string | undefined {
  const reference = parseReference(text)
  return reference && referenceName(reference)
}
