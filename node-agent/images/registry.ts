import type { AuthConfig } from '../runtime/cri.ts'
import {
  type Blob,
  type Descriptor,
  digestOf,
  type ImageConfig,
  type Manifest,
  mediaTypes,
  type OciImage,
  ownPlatform,
} from './oci/image.ts'
import { parseReference, type Reference, referenceName } from './reference.ts'

const answerTimeoutMs = 10_000
const accepted = [
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.dockerList,
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/**
 * The image that a registry has under a name, for this machine's platform; its layers are fetched when they are read.
 * Undefined: there is no reaching the registry. Throws an Error in the runtimes' words when it has no such image or will
 * not give it. Registries on loopback are spoken to in plain HTTP.
 */
export async function pullFromRegistry(
  name: string,
  auth: AuthConfig | undefined,
  platform = ownPlatform(),
): Promise<OciImage | undefined> {
  const reference = parseReference(name)
  if (!reference) throw new Error(`failed to parse image reference ${JSON.stringify(name)}`)
  const get = registryReader(reference, auth)
  const tag = reference.digest ?? reference.tag ?? 'latest'
  let answer: Response
  try {
    answer = await get(`manifests/${tag}`, accepted)
  } catch (error) {
    if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return undefined
    throw error
  }
  let bytes = await whole(answer, name)
  let manifest = JSON.parse(bytes.toString()) as Manifest & { manifests?: Descriptor[] }
  if (manifest.manifests) {
    const own = manifest.manifests.find(
      (found) => found.platform?.os === platform.os && found.platform.architecture === platform.architecture,
    )
    if (!own) throw new Error(`no match for platform in manifest of ${name}: not found`)
    bytes = await whole(await get(`manifests/${own.digest}`, accepted), name)
    manifest = JSON.parse(bytes.toString()) as Manifest
  }
  const blob = (descriptor: Descriptor): Blob => ({
    descriptor,
    async *open() {
      const { body } = await checked(await get(`blobs/${descriptor.digest}`), name)
      if (body) yield* body as unknown as AsyncIterable<Uint8Array>
    },
  })
  const config = blob(manifest.config)
  const configBytes = await whole(await get(`blobs/${manifest.config.digest}`), name)
  return {
    names: [referenceName(reference)],
    manifest: {
      descriptor: { mediaType: manifest.mediaType ?? mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length },
      async *open() {
        yield bytes
      },
    },
    config,
    layers: manifest.layers.map(blob),
    parsed: JSON.parse(configBytes.toString()) as ImageConfig,
  }
}

function registryReader(reference: Reference, auth: AuthConfig | undefined) {
  const host = reference.registry === 'docker.io' ? 'registry-1.docker.io' : reference.registry
  const base = `${isLoopback(host) ? 'http' : 'https'}://${host}/v2/${reference.repository}`
  const basic = basicCredentials(auth)
  let authorization = auth?.registryToken ? `Bearer ${auth.registryToken}` : undefined
  return async (path: string, accept = '*/*'): Promise<Response> => {
    const ask = () =>
      fetch(`${base}/${path}`, {
        headers: { Accept: accept, ...(authorization ? { Authorization: authorization } : {}) },
        signal: AbortSignal.timeout(answerTimeoutMs),
      })
    const answer = await ask()
    if (answer.status !== 401) return answer
    const challenge = answer.headers.get('www-authenticate') ?? ''
    await answer.body?.cancel()
    if (/^basic/i.test(challenge) && basic) authorization = basic
    else if (/^bearer/i.test(challenge)) authorization = `Bearer ${await fetchToken(challenge, basic)}`
    else throw new Error(`pull access denied, repository does not exist or may require authorization: ${path}`)
    return ask()
  }
}

/** Registries send one elsewhere for a token. */
async function fetchToken(challenge: string, basic: string | undefined): Promise<string> {
  const parts = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
  const url = new URL(parts.realm ?? '')
  for (const name of ['service', 'scope']) if (parts[name]) url.searchParams.set(name, parts[name])
  const answer = await fetch(url, {
    headers: basic ? { Authorization: basic } : {},
    signal: AbortSignal.timeout(answerTimeoutMs),
  })
  if (!answer.ok) throw new Error(`failed to authorize: failed to fetch token: unexpected status: ${answer.status}`)
  const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string }
  return token ?? access_token ?? ''
}

function basicCredentials(auth: AuthConfig | undefined): string | undefined {
  if (auth?.auth) return `Basic ${auth.auth}`
  if (!auth?.username) return undefined
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
}

async function checked(answer: Response, name: string): Promise<Response> {
  if (answer.ok) return answer
  await answer.body?.cancel()
  if (answer.status === 404) throw new Error(`failed to resolve reference ${JSON.stringify(name)}: ${name}: not found`)
  if (answer.status === 401 || answer.status === 403) {
    throw new Error(
      `failed to resolve reference ${JSON.stringify(name)}: pull access denied, repository does not exist or may require authorization`,
    )
  }
  throw new Error(`failed to resolve reference ${JSON.stringify(name)}: unexpected status: ${answer.status}`)
}

const whole = async (answer: Response, name: string): Promise<Buffer> =>
  Buffer.from(await (await checked(answer, name)).arrayBuffer())

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host)
