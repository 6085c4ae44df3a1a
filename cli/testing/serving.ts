import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { alreadyExistsError, notFoundError, StatusError } from '../../api/machinery/errors.ts'
import { compileSelector } from '../../api/machinery/labels.ts'
import { apiVersionOf } from '../../api/machinery/object.ts'
import type { ServedKind } from '../kinds.ts'
import { textOf } from '../manifests.ts'
import { merged } from '../merge-patch.ts'
import type { NamedObject } from '../objects.ts'
import { toYaml } from '../print/yaml.ts'
import { run } from '../run.ts'
import { wellKnownKinds } from '../well-known.ts'

/** A request, as it came. */
export interface Asked {
  method: string
  path: string
  query: Record<string, string>
  headers: IncomingMessage['headers']
  body: unknown
  /** The common name of the client's certificate. */
  certificate: string | undefined
}

/** What a verb has said, and how it ended. */
interface Told {
  code: number
  out: string
  err: string
}

/** An API server that keeps objects, judges nothing, and can be asked by the verbs themselves. */
export interface Serving {
  url: string
  /** For files; gone when it stops. */
  directory: string
  /** By their paths. */
  objects: Map<string, NamedObject>
  /** What paths that are no objects answer. Throws a `StatusError` to refuse. */
  answers: Map<string, (asked: Asked) => string>
  asked: Asked[]
  /** What every answer warns of. */
  warning: string
  /** A kubeconfig that leads here. */
  kubeconfig: string
  /** Runs a verb; words end at spaces. */
  gantry(words: string | readonly string[], more?: { input?: string; env?: Record<string, string> }): Promise<Told>
  /** Writes a file; its path. */
  file(name: string, text: string): string
  stop(): void
}

const served = (group: string, kind: string, namespaced: boolean): ServedKind => ({
  group,
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  namespaced,
  shortNames: [],
  categories: [],
  verbs: ['get', 'list'],
  subresources: [],
})

const kinds: readonly ServedKind[] = [
  ...wellKnownKinds,
  served('', 'ReplicationController', true),
  served('rbac.authorization.k8s.io', 'Role', true),
  served('rbac.authorization.k8s.io', 'RoleBinding', true),
  served('rbac.authorization.k8s.io', 'ClusterRole', false),
  served('rbac.authorization.k8s.io', 'ClusterRoleBinding', false),
]

/** Starts one, with TLS where its options are given. */
export async function serve({ tls }: { tls?: ServerOptions } = {}): Promise<Serving> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-serving-'))
  const listener: RequestListener = async (request, answer) => {
    const asked = await askedBy(request)
    serving.asked.push(asked)
    if (serving.warning) answer.setHeader('warning', `299 - "${serving.warning}"`)
    try {
      answer.end(answerTo(serving, asked))
    } catch (error) {
      const status = error instanceof StatusError ? error : new StatusError(500, 'InternalError', String(error))
      answer.writeHead(status.code, { 'content-type': 'application/json' }).end(JSON.stringify(status.toStatus()))
    }
  }
  const server: Server = tls ? createSecureServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const file = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text, { mode: 0o700 })
    return path
  }
  const serving: Serving = {
    url,
    directory,
    objects: new Map(),
    answers: new Map(),
    asked: [],
    warning: '',
    kubeconfig: file('kubeconfig', kubeconfigOf(url)),
    file,
    async gantry(words, { input = '', env = {} } = {}) {
      const told = { out: '', err: '' }
      const [verb = '', ...args] = typeof words === 'string' ? words.split(' ') : words
      const code = await run(verb, args, {
        out: (text) => {
          told.out += text
        },
        err: (text) => {
          told.err += text
        },
        write: (to, bytes) => {
          told[to] += Buffer.from(bytes).toString()
          return undefined
        },
        stdin: Readable.from([input]),
        isTerminal: { stdin: false, stdout: false },
        env: { PATH: process.env.PATH, KUBECONFIG: serving.kubeconfig, ...env },
        signal: new AbortController().signal,
      })
      return { code, ...told }
    },
    stop() {
      server.closeAllConnections()
      server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return serving
}

/** A kubeconfig of one cluster, whose user is nobody. */
export const kubeconfigOf = (server: string, cluster: object = {}, user: object = {}): string =>
  toYaml({
    'current-context': 'here',
    clusters: [{ name: 'here', cluster: { server, ...cluster } }],
    users: [{ name: 'me', user }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
  })

async function askedBy(request: IncomingMessage): Promise<Asked> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://here')
  const text = await textOf(request)
  return {
    method: request.method ?? '',
    path: decodeURIComponent(pathname),
    query: Object.fromEntries(searchParams),
    headers: request.headers,
    body: text === '' ? undefined : JSON.parse(text),
    certificate: commonName(request),
  }
}

function commonName({ socket }: IncomingMessage): string | undefined {
  const name = socket instanceof TLSSocket ? socket.getPeerCertificate()?.subject?.CN : undefined
  return name === undefined ? undefined : String(name)
}

function answerTo({ objects, answers }: Serving, asked: Asked): string {
  const { method, path, query } = asked
  const special = answers.get(path)
  if (special) return special(asked)
  if (path === '/api' || path === '/apis') return JSON.stringify(discovery(path === '/api'))
  const { kind, namespace, name } = placeOf(path)
  const of = { group: kind.group, resource: kind.plural }
  const isTried = query.dryRun !== undefined || (asked.body as { dryRun?: unknown } | undefined)?.dryRun !== undefined
  const put = (at: string, object: NamedObject) => {
    if (!isTried) objects.set(at, object)
    return JSON.stringify(object)
  }
  if (name === undefined && method === 'POST') {
    const made = asked.body as NamedObject
    const at = `${path}/${made.metadata.name}`
    if (objects.has(at)) throw alreadyExistsError(of, made.metadata.name)
    return put(at, { ...made, metadata: { uid: at, ...made.metadata } })
  }
  if (name === undefined) {
    const matches = compileSelector(query.labelSelector ?? '')
    const items = [...objects.entries()].flatMap(([at, object]) => {
      const place = placeOf(at)
      const isHere = place.kind === kind && (!namespace || place.namespace === namespace)
      return isHere && matches(object.metadata.labels ?? {}) ? [object] : []
    })
    return JSON.stringify({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind.group, kind.version), items })
  }
  const there = objects.get(path)
  if (!there) throw notFoundError(of, name)
  if (method === 'PUT') return put(path, asked.body as NamedObject)
  // Lists that are merged by keys are more than a test of a verb needs.
  if (method === 'PATCH') return put(path, merged(there, asked.body) as NamedObject)
  if (method === 'DELETE' && !isTried) objects.delete(path)
  return JSON.stringify(there)
}

function placeOf(path: string): { kind: ServedKind; namespace: string | undefined; name: string | undefined } {
  const [, root, ...parts] = path.split('/')
  const [group, version, ...rest] = root === 'api' ? ['', ...parts] : parts
  const isWithin = rest[0] === 'namespaces' && rest.length > 2
  const [plural, name] = isWithin ? rest.slice(2) : rest
  const kind = kinds.find((one) => one.group === group && one.version === version && one.plural === plural)
  if (!kind) throw new StatusError(404, 'NotFound', `the server could not find ${path}`)
  return { kind, namespace: isWithin ? rest[1] : undefined, name }
}

function discovery(isCore: boolean): object {
  const groups = [...new Set(kinds.map(({ group }) => group))].filter((group) => (group === '') === isCore)
  const resources = (group: string) =>
    kinds
      .filter((one) => one.group === group)
      .map(({ plural, singular, kind, namespaced, shortNames, verbs }) => ({
        resource: plural,
        singularResource: singular,
        scope: namespaced ? 'Namespaced' : 'Cluster',
        responseKind: { kind },
        shortNames,
        verbs,
      }))
  return {
    items: groups.map((name) => ({ metadata: { name }, versions: [{ version: 'v1', resources: resources(name) }] })),
  }
}
