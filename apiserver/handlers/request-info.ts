/** What a request is about, read from its method and path alone: upstream's RequestInfo. */
export interface RequestInfo {
  method: string
  path: string
  query: URLSearchParams
  isResource: boolean
  /** get, list, watch, create, update, patch, delete, deletecollection, or the lower-case method of a path. */
  verb: string
  group: string
  version: string
  namespace: string
  resource: string
  subresource: string
  name: string
  /** Parts after the subresource: the rest of a proxy path. */
  rest: string
}

const noQuery = new URLSearchParams()
/** Namespaced subpaths that belong to the namespace itself. */
const namespaceSubresources = new Set(['status', 'finalize'])

/** Reads a request line. Undefined when the path is not well formed. */
export function parseRequestInfo(method: string, url: string): RequestInfo | undefined {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 || mark === url.length - 1 ? noQuery : new URLSearchParams(url.slice(mark + 1))
  const info: RequestInfo = {
    method,
    path,
    query,
    isResource: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
  }
  const parts = splitPath(path)
  if (!parts) return undefined
  let at: number
  if (parts[0] === 'api' && parts.length > 2) {
    info.version = parts[1] as string
    at = 2
  } else if (parts[0] === 'apis' && parts.length > 3) {
    info.group = parts[1] as string
    info.version = parts[2] as string
    at = 3
  } else {
    return info
  }
  info.isResource = true
  if (parts[at] === 'watch' && parts.length > at + 1) {
    // The old form of a watch: /api/v1/watch/pods.
    at++
    info.query = new URLSearchParams(query)
    info.query.set('watch', 'true')
  }
  if (parts[at] === 'namespaces' && parts.length > at + 1) {
    const third = parts[at + 2]
    if (third !== undefined && !namespaceSubresources.has(third)) {
      info.namespace = parts[at + 1] as string
      at += 2
    } else if (third === undefined || namespaceSubresources.has(third)) {
      info.namespace = parts[at + 1] as string
    }
  }
  info.resource = parts[at] as string
  info.name = parts[at + 1] ?? ''
  info.subresource = parts[at + 2] ?? ''
  info.rest = parts.slice(at + 3).join('/')
  info.verb = verbOf(info)
  // One object watched or listed by its name is that object, to whoever authorizes.
  if (info.name === '' && (info.verb === 'list' || info.verb === 'watch')) info.name = selectedName(query)
  return info
}

function selectedName(query: URLSearchParams): string {
  const selector = query.get('fieldSelector') ?? ''
  return /(?:^|,)metadata\.name==?([^,\\!=]+)(?:,|$)/.exec(selector)?.[1] ?? ''
}

function splitPath(path: string): string[] | undefined {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '') continue
    if (!part.includes('%')) {
      parts.push(part)
      continue
    }
    try {
      parts.push(decodeURIComponent(part))
    } catch {
      return undefined
    }
  }
  return parts
}

function verbOf({ method, name, query }: RequestInfo): string {
  switch (method) {
    case 'POST':
      return 'create'
    case 'GET':
    case 'HEAD':
      if (isTrue(query.get('watch'))) return 'watch'
      return name === '' ? 'list' : 'get'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete'
    default:
      return method.toLowerCase()
  }
}

/** A boolean in a query, as Go reads one: present and not false. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '' && value !== 'false' && value !== '0' && value !== 'False' && value !== 'f'
}
