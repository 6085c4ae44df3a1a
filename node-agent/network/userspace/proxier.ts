import type { Logger } from '../../../client/logger.ts'
import { Pacer } from '../pacer.ts'
import type { Backend } from '../services/backends.ts'
import { type RoutedPort, routesOf } from '../services/routes.ts'
import type { ServiceTable } from '../services/table.ts'
import type { Frontend, FrontendOptions } from './frontend.ts'
import { TcpFrontend } from './tcp.ts'
import { UdpFrontend } from './udp.ts'

export interface UserspaceOptions {
  nodeName: string
  nodeIp: string
  services: ServiceTable
  log: Logger
}

/** Where a port is answered, and by whom. */
export interface Place {
  protocol: 'tcp' | 'udp'
  ip: string
  port: number
  backends: readonly Backend[]
  affinitySeconds: number | undefined
}

/**
 * Serves services without the kernel's help, for the process runtime: listens on their addresses, which are of the loopback
 * range, and passes on what comes. A port that nobody serves is not listened on, so that clients are refused at once.
 */
export class UserspaceProxier {
  readonly #options: UserspaceOptions
  readonly #frontends = new Map<string, { owner: string; frontend: Frontend }>()
  readonly #owned = new Map<string, ReadonlyMap<string, Place>>()
  readonly #dirty = new Set<string>()
  readonly #pacer: Pacer
  #unfollow: (() => void) | undefined

  constructor(options: UserspaceOptions) {
    this.#options = options
    this.#pacer = new Pacer(
      () => this.#sync(),
      (err) => options.log.error({ err }, 'services could not be brought up to date, and will be tried again'),
      { settleMs: 2, gapMs: 10 },
    )
  }

  /** Call when the table of services is filled. */
  start(): void {
    const { services } = this.#options
    this.#unfollow = services.onChange((name) => this.#touch(name))
    for (const name of services.names) this.#touch(name)
  }

  /** Answers a place that is no service's, such as a host port; no places end it. */
  add(owner: string, places: readonly Place[]): Promise<void> {
    return this.#set(`!${owner}`, places)
  }

  async stop(): Promise<void> {
    this.#unfollow?.()
    await this.#pacer.stop()
    await Promise.all([...this.#frontends.values()].map(({ frontend }) => frontend.stop()))
    this.#frontends.clear()
  }

  #touch(name: string): void {
    this.#dirty.add(name)
    this.#pacer.request()
  }

  async #sync(): Promise<void> {
    const { services, nodeName, nodeIp } = this.#options
    const names = [...this.#dirty]
    this.#dirty.clear()
    for (const name of names) {
      const service = services.service(name)
      const here = { nodeName, zone: undefined, family: 'IPv4' } as const
      const routes = service && routesOf(service, services.slices(name), here)
      await this.#set(name, routes ? placesOf(routes.ports, nodeIp) : [])
    }
  }

  async #set(owner: string, places: readonly Place[]): Promise<void> {
    const wanted = new Map(places.filter(({ backends }) => backends.length > 0).map((place) => [keyOf(place), place]))
    for (const key of this.#owned.get(owner)?.keys() ?? []) {
      const entry = this.#frontends.get(key)
      if (wanted.has(key) || entry?.owner !== owner) continue
      this.#frontends.delete(key)
      await entry.frontend.stop()
    }
    if (wanted.size > 0) this.#owned.set(owner, wanted)
    else this.#owned.delete(owner)
    for (const [key, place] of wanted) {
      const entry = this.#frontends.get(key) ?? { owner, frontend: this.#open(owner, place) }
      // An address that two services claim stays with the first.
      if (entry.owner !== owner) continue
      this.#frontends.set(key, entry)
      entry.frontend.set(place.backends, place.affinitySeconds)
    }
  }

  #open(owner: string, { protocol, ip, port }: Place): Frontend {
    const { log } = this.#options
    const options: FrontendOptions = {
      ip,
      port,
      unavailable(error) {
        const where = `${ip}:${port}/${protocol} of ${owner.startsWith('!') ? owner.slice(1) : `Service ${owner}`}`
        // Another node's agent of this machine answers there, and this one takes over when it ends.
        if (error.code === 'EADDRINUSE') log.debug({ ip, port }, `${where} is taken, and will be tried again`)
        else if (error.code === 'EACCES') log.warn({ ip, port }, `${where} is not ours to open: ${lowPortAdvice}`)
        else log.warn({ err: error, ip, port }, `${where} cannot be opened, and will be tried again`)
      },
    }
    return protocol === 'udp' ? new UdpFrontend(options) : new TcpFrontend(options)
  }
}

const lowPortAdvice =
  'ports below 1024 need root, or once as root: sysctl -w net.ipv4.ip_unprivileged_port_start=0; or give the service a higher port'

/** The addresses at which this node answers the ports. External addresses are other machines' to bring here. */
export function placesOf(ports: readonly RoutedPort[], nodeIp: string): Place[] {
  const places: Place[] = []
  for (const routed of ports) {
    const { protocol, clusterIp, port, nodePort, affinitySeconds, internalLocal, externalLocal, cluster, local } =
      routed
    if (protocol === 'sctp') continue
    places.push({ protocol, ip: clusterIp, port, affinitySeconds, backends: internalLocal ? local : cluster })
    if (nodePort === undefined) continue
    const backends = externalLocal ? local : cluster
    for (const ip of new Set([nodeIp, '127.0.0.1']))
      places.push({ protocol, ip, port: nodePort, affinitySeconds, backends })
  }
  return places
}

const keyOf = ({ protocol, ip, port }: Place): string => `${protocol} ${ip} ${port}`
