import type { IpFamily } from '../../../api/core/ip.ts'
import type { Logger } from '../../../client/logger.ts'
import type { Run } from '../command.ts'
import { Pacer } from '../pacer.ts'
import { type RoutedPort, routesOf } from '../services/routes.ts'
import type { ServiceTable } from '../services/table.ts'
import { forgetStaleFlows } from './conntrack.ts'
import { type FragmentOptions, fragmentOf } from './fragment.ts'
import { HealthCheckServer } from './health-check.ts'
import { NftTable } from './nft.ts'
import type { Fragment } from './ruleset.ts'
import type { TableOptions } from './table.ts'

export interface ProxierOptions extends Omit<TableOptions & FragmentOptions, 'family'> {
  family: IpFamily
  nodeName: string
  services: ServiceTable
  /** False: only what {@link NftProxier.add} says is in the table, and services are another program's. */
  proxy: boolean
  run: Run
  log: Logger
}

/** Keeps the kernel's table equal to the services. */
export class NftProxier {
  readonly #options: ProxierOptions
  readonly #table: NftTable
  readonly #health: HealthCheckServer
  readonly #pacer: Pacer
  readonly #dirty = new Set<string>()
  /** The datagram ports of each service, as last routed. */
  readonly #udp = new Map<string, readonly RoutedPort[]>()
  #zone: string | undefined
  #unfollow: (() => void) | undefined
  #check: NodeJS.Timeout | undefined
  #started = false
  /** Told when what was wanted when they asked is in the kernel. */
  #waiting: (() => void)[] = []
  /** Transactions so far. */
  applied = 0

  constructor(options: ProxierOptions) {
    this.#options = options
    this.#table = new NftTable(
      { ...options, serviceCidrs: options.proxy ? options.serviceCidrs : [] },
      options.run,
      Date.now,
    )
    this.#health = new HealthCheckServer(options.nodeIp, options.log)
    this.#pacer = new Pacer(
      () => this.#sync(),
      (error) => {
        this.#health.healthy = false
        options.log.error({ err: error }, 'the service rules could not be written, and will be tried again')
      },
    )
  }

  /** Call when the table of services is filled: from then on each change reaches the kernel within some tens of milliseconds. */
  start(): void {
    const { services, proxy } = this.#options
    this.#started = true
    if (proxy) {
      this.#unfollow = services.onChange((name) => this.#touch(name))
      for (const name of services.names) this.#dirty.add(name)
    }
    // A firewall's reload throws away everybody's tables.
    this.#check = setInterval(() => {
      this.#table.isThere().then(
        (there) => there || this.#pacer.request(),
        (error) => this.#options.log.warn({ err: error }, 'the tables of nftables cannot be listed'),
      )
    }, checkMs)
    this.#check.unref()
    this.#pacer.request()
  }

  /** Puts rules of the node itself into the table, before any service's; undefined takes them out. */
  add(name: string, fragment: Fragment | undefined): void {
    // Names of services never start with this, and sort behind it.
    this.#table.set(`!${name}`, fragment)
    // What an earlier agent wrote stands until all is known.
    if (this.#started) this.#pacer.request()
  }

  /** Resolves when all that was added is in the kernel. */
  written(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#started) this.#pacer.request()
    })
  }

  /** The zone of this node, for topology hints. */
  setZone(zone: string | undefined): void {
    if (zone === this.#zone) return
    this.#zone = zone
    if (this.#options.proxy) for (const name of this.#options.services.names) this.#touch(name)
  }

  /** Ends the following; the rules stay, so that an agent's restart costs nobody a connection. */
  async stop(): Promise<void> {
    clearInterval(this.#check)
    this.#unfollow?.()
    await this.#pacer.stop()
    await this.#health.stop()
  }

  #touch(name: string): void {
    this.#dirty.add(name)
    this.#pacer.request()
  }

  async #sync(): Promise<void> {
    const udp = [...this.#dirty].flatMap((name) => this.#refresh(name))
    this.#dirty.clear()
    const told = this.#waiting
    this.#waiting = []
    try {
      await this.#table.apply()
    } catch (error) {
      this.#waiting.push(...told)
      throw error
    }
    for (const tell of told) tell()
    this.applied += 1
    this.#health.healthy = true
    if (udp.length === 0) return
    // The rules are in force already: a failure here leaves flows to time out by themselves.
    await forgetStaleFlows(udp, this.#options.run).catch((error) =>
      this.#options.log.warn({ err: error }, 'old flows of datagrams could not be forgotten'),
    )
  }

  /** Works the service out anew, and gives its datagram ports, with those it had and has no longer. */
  #refresh(name: string): RoutedPort[] {
    const { services, nodeName, family } = this.#options
    const service = services.service(name)
    const routes = service && routesOf(service, services.slices(name), { nodeName, zone: this.#zone, family })
    this.#table.set(name, routes && fragmentOf(routes.ports, this.#options))
    const { namespace = '', name: shortName = '' } = service?.metadata ?? {}
    const port = routes?.healthCheckNodePort
    this.#health.set(
      name,
      port === undefined || !routes ? undefined : { namespace, name: shortName, port, localReady: routes.localReady },
    )
    const before = this.#udp.get(name) ?? []
    const after = (routes?.ports ?? []).filter(({ protocol }) => protocol === 'udp')
    if (after.length > 0) this.#udp.set(name, after)
    else this.#udp.delete(name)
    const gone = before.filter((old) => !after.some((now) => now.port === old.port && now.clusterIp === old.clusterIp))
    return [...after, ...gone.map((port) => ({ ...port, cluster: [], local: [] }))]
  }
}

const checkMs = 30_000
