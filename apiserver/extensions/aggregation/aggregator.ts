import type { APIService } from '../../../api/generated/types.ts'
import { StatusError } from '../../../api/machinery/errors.ts'
import { apiVersionOf, type Stored } from '../../../api/machinery/object.ts'
import { formatTime } from '../../../api/machinery/time.ts'
import type { PathHandler } from '../../handlers/pipeline.ts'
import type { GroupRequest, ServedGroup } from '../../handlers/served-group.ts'
import { sameJson } from '../../registry/json.ts'
import type { ServerCore } from '../../server.ts'
import { relay } from '../../subresources/relay.ts'
import { check, type Standing } from './check.ts'
import { connectionTo, type FrontProxyClient, identityHeaders } from './remote.ts'

/** How often a served group is looked at when nothing is heard of it. */
const recheckMs = 30_000
/** Changes that come together are looked at together. */
const gatherMs = 100

export interface AggregatorOptions {
  core: Pick<ServerCore, 'client' | 'lookup' | 'now'>
  own: FrontProxyClient
  /** Groups that this server answers for itself. */
  local?: readonly ServedGroup[]
  /** Called when what is served has changed. */
  changed: () => void
  onError: (error: unknown) => void
}

type Service = Stored<APIService>

/**
 * Serves groups that other servers have: each APIService that names a service is one. Who asks is authenticated and
 * authorized here; the server behind is told who it is, and passes on what it answers.
 */
export class Aggregator {
  /** By `group/version`; those that cannot be reached too, as they are known to be served. */
  readonly groups = new Map<string, ServedGroup>()
  readonly #options: AggregatorOptions
  readonly #services = new Map<string, Service>()
  readonly #standings = new Map<string, Standing>()
  readonly #stops: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #stopped = false

  constructor(options: AggregatorOptions) {
    this.#options = options
    this.#serveLocal()
  }

  start(): void {
    const { client, lookup } = this.#options.core
    this.#stops.push(
      client.onChange<Service>(lookup('apiregistration.k8s.io', 'apiservices'), ({ type, object }) => {
        const name = object.metadata.name ?? ''
        const known = this.#services.get(name)
        if (type === 'DELETED' || !object.spec?.service) this.#services.delete(name)
        else this.#services.set(name, object)
        // Its own word on the status is no news.
        if (type === 'DELETED' || !sameJson(known?.spec, object.spec)) this.#soon()
      }),
      client.onChange<{ metadata: { namespace?: string; labels?: Record<string, string> } }>(
        lookup('discovery.k8s.io', 'endpointslices'),
        ({ object: { metadata } }) => {
          const of = metadata.labels?.['kubernetes.io/service-name']
          for (const { spec } of this.#services.values()) {
            if (spec?.service?.name === of && spec?.service?.namespace === metadata.namespace) this.#soon()
          }
        },
        { glance: true },
      ),
    )
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const stop of this.#stops) stop()
    await this.#running
  }

  /** Documents that the servers behind have of their own. */
  readonly paths: PathHandler = async (req, res, info, user, upgradeHead) => {
    const [, group, version] = /^\/openapi\/v3\/apis\/([^/]+)\/([^/]+)$/.exec(info.path) ?? []
    const served = this.groups.get(`${group}/${version}`)
    if (!served || !this.#standings.has(`${version}.${group}`)) return false
    await served.handle({ req, res, info, user, ...(upgradeHead ? { upgradeHead } : {}) } as GroupRequest)
    return true
  }

  /** Where those documents are, by the path of what they describe: `apis/wardle/v1`. */
  documents(): Map<string, string> {
    const found = new Map<string, string>()
    for (const { group, version } of this.groups.values()) {
      const { document } = this.#standings.get(`${version}.${group}`) ?? {}
      if (document !== undefined) found.set(`apis/${group}/${version}`, document)
    }
    return found
  }

  #serveLocal(): void {
    for (const served of this.#options.local ?? []) this.groups.set(apiVersionOf(served.group, served.version), served)
  }

  #soon(): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#checkAll(), gatherMs)
    this.#timer.unref()
  }

  #checkAll(): void {
    if (this.#running) {
      this.#again = true
      return
    }
    this.#running = this.#check()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#running = undefined
        if (this.#stopped) return
        clearTimeout(this.#timer)
        if (this.#again) this.#soon()
        else if (this.#services.size > 0) {
          this.#timer = setTimeout(() => this.#checkAll(), recheckMs)
          this.#timer.unref()
        }
        this.#again = false
      })
  }

  async #check(): Promise<void> {
    const { core, own } = this.#options
    const { client, lookup } = core
    const served = () => JSON.stringify([[...this.groups], [...this.documents()]])
    const before = served()
    for (const name of this.#standings.keys()) if (!this.#services.has(name)) this.#standings.delete(name)
    await Promise.all(
      [...this.#services].map(async ([name, service]) => {
        this.#standings.set(name, await check(service, client, lookup, own))
        // That its status cannot be written keeps neither it nor others from being served.
        await this.#tell(name).catch(this.#options.onError)
      }),
    )
    this.groups.clear()
    this.#serveLocal()
    const byPriority = [...this.#services].sort(
      ([, a], [, b]) =>
        (b.spec?.groupPriorityMinimum ?? 0) - (a.spec?.groupPriorityMinimum ?? 0) ||
        (b.spec?.versionPriority ?? 0) - (a.spec?.versionPriority ?? 0),
    )
    for (const [name, { spec }] of byPriority) {
      const { group = '', version = '' } = spec ?? {}
      const resources = this.#standings.get(name)?.resources ?? []
      this.groups.set(apiVersionOf(group, version), {
        group,
        version,
        resources,
        handle: (request) => this.#handle(name, request),
      })
    }
    if (served() !== before) this.#options.changed()
  }

  /** Writes what was found into the status, if it is new. */
  async #tell(name: string): Promise<void> {
    const { client, lookup, now } = this.#options.core
    const { available, reason, message } = this.#standings.get(name) as Standing
    const status = available ? 'True' : 'False'
    try {
      await client.update<Service>(lookup('apiregistration.k8s.io', 'apiservices'), '', name, (service) => {
        const conditions = service.status?.conditions ?? []
        const known = conditions.find(({ type }) => type === 'Available')
        if (known?.status === status && known.reason === reason && known.message === message) return undefined
        const lastTransitionTime =
          known?.status === status ? (known.lastTransitionTime ?? formatTime(now())) : formatTime(now())
        const own = { type: 'Available', status, reason, message, lastTransitionTime }
        service.status = { conditions: [...conditions.filter((each) => each !== known), own] }
        return service
      })
    } catch (error) {
      // It has gone in the meantime: then so has what there was to tell.
      if (!(error instanceof StatusError && error.code === 404)) throw error
    }
  }

  async #handle(name: string, request: GroupRequest): Promise<void> {
    const standing = this.#standings.get(name)
    if (!standing?.remote) {
      throw new StatusError(
        503,
        'ServiceUnavailable',
        `the server is currently unable to handle the request${standing ? `: ${standing.message}` : ''}`,
      )
    }
    const target = { ...connectionTo(standing.remote, this.#options.own), path: request.req.url ?? '/' }
    await relay(request, { ...target, headers: {} }, { as: identityHeaders(request.user) })
  }
}
