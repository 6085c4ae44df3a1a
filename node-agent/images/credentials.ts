import type { Secret } from '../../api/generated/types.ts'
import type { AuthConfig, Given } from '../runtime/cri.ts'

interface Entry {
  username?: string
  password?: string
  auth?: string
}

const defaultRegistry = 'index.docker.io'

/**
 * The credentials among a pod's secrets that fit an image, the most specific first. Secrets that hold none, or that cannot
 * be read, are passed over.
 */
export function credentialsFor(image: string, secrets: readonly Secret[]): Given<AuthConfig>[] {
  const entries = secrets.flatMap(entriesOf).sort(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0))
  const fitting = entries.filter(([location]) => fits(location, image))
  const chosen =
    fitting.length > 0 || !isOnDefaultRegistry(image)
      ? fitting
      : entries.filter(([location]) => location === defaultRegistry || location.startsWith(`${defaultRegistry}/`))
  return chosen.flatMap(([, entry]) => loginOf(entry))
}

/** The host and path, without scheme or API version, to which each of a secret's entries belongs. */
function entriesOf({ type, data = {} }: Secret): [string, Entry][] {
  const encoded =
    type === 'kubernetes.io/dockerconfigjson'
      ? data['.dockerconfigjson']
      : type === 'kubernetes.io/dockercfg'
        ? data['.dockercfg']
        : undefined
  if (encoded === undefined) return []
  try {
    const parsed = JSON.parse(Buffer.from(String(encoded), 'base64').toString()) as Record<string, unknown>
    const auths = (type === 'kubernetes.io/dockercfg' ? parsed : parsed.auths) as Record<string, Entry> | undefined
    return Object.entries(auths ?? {}).map(([location, entry]) => [plain(location), entry])
  } catch {
    return []
  }
}

function plain(location: string): string {
  const [host = '', ...path] = location.replace(/^https?:\/\//, '').split('/')
  if (path[0] === 'v1' || path[0] === 'v2') path.shift()
  const rest = path.join('/').replace(/\/$/, '')
  return rest === '' ? host : `${host}/${rest}`
}

/** Hosts may be globs, part by part; the path must be the beginning of the image's. */
function fits(location: string, image: string): boolean {
  const [host = '', ...path] = location.split('/')
  const [imageHost = '', ...imagePath] = image.split('/')
  const [name = '', port = ''] = splitPort(host)
  const [imageName = '', imagePort = ''] = splitPort(imageHost)
  const parts = name.split('.')
  const imageParts = imageName.split('.')
  return (
    port === imagePort &&
    parts.length === imageParts.length &&
    imagePath.join('/').startsWith(path.join('/')) &&
    parts.every((part, i) => globMatches(part, imageParts[i] ?? ''))
  )
}

const splitPort = (host: string): string[] => host.split(/:(?=\d+$)/)

const globMatches = (glob: string, text: string): boolean =>
  new RegExp(
    `^${glob.replace(/[.*+?^${}()|[\]\\]/g, (letter) => (letter === '*' ? '.*' : letter === '?' ? '.' : `\\${letter}`))}$`,
  ).test(text)

function isOnDefaultRegistry(image: string): boolean {
  const [first = '', ...rest] = image.split('/')
  return rest.length === 0 || first === 'docker.io' || first === 'index.docker.io' || !/[.:]/.test(first)
}

function loginOf({ username, password, auth }: Entry): Given<AuthConfig>[] {
  if (username) return [{ username, password: password ?? '' }]
  if (!auth) return []
  const text = Buffer.from(auth, 'base64').toString().replace(/\0+$/, '')
  const mark = text.indexOf(':')
  return mark === -1 ? [] : [{ username: text.slice(0, mark), password: text.slice(mark + 1) }]
}
