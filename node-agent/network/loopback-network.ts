import { endpointSlices, services as servicesRef } from '../../client/resources.ts'
import { Forwarder } from './dns/forwarder.ts'
import { upstreamServers } from './dns/resolv-conf.ts'
import { Resolver } from './dns/resolver.ts'
import { type DnsServer, startDnsServer } from './dns/server.ts'
import type { NetworkOptions, NodeNetwork } from './network.ts'
import { tellUnheld } from './policies/unheld.ts'
import type { Backend } from './services/backends.ts'
import { ServiceTable } from './services/table.ts'
import { UserspaceProxier } from './userspace/proxier.ts'

/** The network of pods that are processes of this machine: everything is a loopback address, and nothing needs root. */
export async function startLoopbackNetwork(options: NetworkOptions): Promise<NodeNetwork> {
  const { informers, nodeName, nodeIp, log, signal } = options
  tellUnheld(options)
  const services = new ServiceTable()
  const servicesInformer = informers.for(servicesRef)
  const slicesInformer = informers.for(endpointSlices)
  const unfollow = services.follow(servicesInformer, slicesInformer)
  const proxier = new UserspaceProxier({ nodeName, nodeIp, services, log })
  if (options.proxy)
    Promise.all([servicesInformer.start(signal), slicesInformer.start(signal)]).then(
      () => proxier.start(),
      (err) => log.debug({ err }, 'stopped before the services were known'),
    )
  const dns = options.dns ? await serveDns(options, services) : undefined
  return {
    dnsAddress: options.clusterDns,
    podCidrChanged: async () => {},
    setHostPorts(podUid, podIp, ports) {
      const places = ports.flatMap(({ protocol, hostIp, hostPort, containerPort }) => {
        const backends = [backend(podIp, containerPort)]
        const ips = hostIp === '' || hostIp === '0.0.0.0' ? new Set([nodeIp, '127.0.0.1']) : [hostIp]
        return [...ips].map((ip) => ({ protocol, ip, port: hostPort, backends, affinitySeconds: undefined }))
      })
      return proxier.add(`pod ${podUid}`, places)
    },
    podStarts: async () => {},
    podEnded: () => {},
    async stop() {
      unfollow()
      await Promise.all([proxier.stop(), dns?.stop()])
    },
  }
}

function backend(ip: string, port: number): Backend {
  const state = { local: true, ready: true, serving: true, terminating: false }
  return { ip, port, ...state, nodeHints: [], zoneHints: [] }
}

/** Without root, port 53 may be closed to us: names are then answered elsewhere, for those who are told where. */
async function serveDns(options: NetworkOptions, services: ServiceTable): Promise<DnsServer | undefined> {
  const { clusterDns, clusterDomain, clusterCidr, serviceCidr, resolvConf = '/etc/resolv.conf', log } = options
  const forwarder = new Forwarder({ servers: () => upstreamServers(resolvConf, [clusterDns]), now: Date.now })
  const zone = { domain: clusterDomain, dnsAddress: clusterDns, cidrs: [clusterCidr, serviceCidr], services }
  try {
    const server = await startDnsServer(new Resolver(zone, forwarder), clusterDns, [53, 1053, 0], log)
    if (server.port !== 53)
      log.warn(`port 53 is not ours to open: names of services are answered at ${clusterDns}, port ${server.port}`)
    return server
  } catch (err) {
    log.warn({ err }, `names of services are not answered: nothing can listen at ${clusterDns}`)
    return undefined
  }
}
