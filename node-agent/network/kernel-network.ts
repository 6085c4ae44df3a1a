import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Node } from '../../api/generated/types.ts'
import { Informer } from '../../client/informer.ts'
import type { Logger } from '../../client/logger.ts'
import { endpointSlices, nodes as nodesRef, services as servicesRef } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { writeCniConfig } from './cni/config.ts'
import { type Run, runCommand } from './command.ts'
import { Forwarder } from './dns/forwarder.ts'
import { upstreamServers } from './dns/resolv-conf.ts'
import { Resolver } from './dns/resolver.ts'
import { type DnsServer, startDnsServer } from './dns/server.ts'
import { ensureBridge, gatewayOf, removeBridge, uplinkMtu } from './host/bridge.ts'
import { ownerChain, ownerHere, settleNeighbours } from './host/neighbours.ts'
import { applyRoutes, nodeAddress, planRoutes, removeRoutes, routeServices } from './host/routes.ts'
import { setSysctls } from './host/sysctls.ts'
import { type NetworkOptions, type NodeNetwork, networkNames } from './network.ts'
import { Pacer } from './pacer.ts'
import { followPolicies } from './policies/follow.ts'
import { NetworkPolicies } from './policies/policies.ts'
import { protocolNumber } from './proxy/fragment.ts'
import { NftTable } from './proxy/nft.ts'
import { NftProxier } from './proxy/proxier.ts'
import type { Fragment } from './proxy/ruleset.ts'
import { ServiceTable } from './services/table.ts'

/** The network of pods that have their own: a bridge, routes to the other nodes, rules for services, and a DNS server. */
export async function startKernelNetwork(options: NetworkOptions, run: Run = runCommand): Promise<NodeNetwork> {
  const { api, informers, nodeName, log, signal, clusterCidr, serviceCidr, dataDir } = options
  const { bridge, table } = networkNames(dataDir)
  for (const { sysctl, error } of await setSysctls(run, false))
    log.warn({ err: error, sysctl: sysctl.path }, `${sysctl.path} cannot be set to ${sysctl.value}: ${sysctl.why}`)

  const cidrs = [clusterCidr, serviceCidr]
  await meetNeighbours(table, cidrs, log, run)

  const services = new ServiceTable()
  const servicesInformer = informers.for(servicesRef)
  const slicesInformer = informers.for(endpointSlices)
  const unfollow = services.follow(servicesInformer, slicesInformer)
  const proxier = new NftProxier({
    family: 'IPv4',
    table,
    bridge,
    owner: ownerChain(await ownerHere(cidrs)),
    clusterCidr,
    serviceCidrs: [serviceCidr],
    nodeIp: options.nodeIp,
    nodeName,
    services,
    proxy: options.proxy,
    run,
    log,
  })
  const policies = new NetworkPolicies({ nodeName, put: (owner, fragment) => proxier.add(owner, fragment) })
  const followed = followPolicies({ api, policies, log, signal })
  // Before all lists are in, services would seem to have no endpoints, and pods to be open to everybody: what an earlier
  // agent wrote stands until then.
  Promise.all([servicesInformer.start(signal), slicesInformer.start(signal), followed.known]).then(
    () => proxier.start(),
    (err) => log.debug({ err }, 'stopped before the services were known'),
  )

  const nodes = new Informer<Node>(api, nodesRef, { transform: placeOfNode })
  let saidOfRoutes = ''
  const routing = new Pacer(
    async () => {
      const known = nodes.lister.list()
      proxier.add('nodes', nodeAddresses(known))
      proxier.setZone(known.find(({ metadata }) => metadata.name === nodeName)?.metadata.labels?.[zoneLabel])
      const failed = await applyRoutes(planRoutes(known, nodeName), [clusterCidr], run)
      const said = failed.map(({ range, via }) => `${range} via ${via}`).join(', ')
      if (said !== '' && said !== saidOfRoutes)
        log.warn({ err: failed[0]?.error }, `pods of other nodes cannot be reached: no route to ${said}`)
      saidOfRoutes = said
      if (failed.length > 0) throw failed[0]?.error
    },
    (err) => log.debug({ err }, 'the routes to other nodes will be tried again'),
  )
  const unfollowNodes = nodes.on({
    add: () => routing.request(),
    update: (before, after) => {
      if (
        JSON.stringify({ ...before, metadata: before.metadata.labels }) !==
        JSON.stringify({ ...after, metadata: after.metadata.labels })
      )
        routing.request()
    },
    delete: () => routing.request(),
  })
  nodes.start(signal).catch((err) => log.debug({ err }, 'stopped before the nodes were known'))

  let dns: DnsServer | undefined
  let range: string | undefined
  /** One change of range after the other. */
  let turn = Promise.resolve()
  const setRange = async (podCidr: string) => {
    if (podCidr === range) return
    const mtu = await uplinkMtu(options.nodeIp, run)
    await ensureBridge({ bridge, podCidr, mtu }, run)
    await routeServices([serviceCidr], bridge, run)
    if (options.dns) {
      await dns?.stop()
      dns = await serveDns(options, services, gatewayOf(podCidr))
      proxier.add('dns', dnsFragment(options.clusterDns, dns))
    }
    await writeCniConfig(options.cniConfDir, { bridge, podCidr, mtu, ipamDir: join(dataDir, 'ipam') })
    range = podCidr
    log.info({ podCidr, bridge, mtu }, 'pods have their network')
  }

  return {
    dnsAddress: options.clusterDns,
    podCidrChanged(cidr) {
      const done = turn.then(() => setRange(cidr))
      turn = done.catch(() => {})
      return done
    },
    setHostPorts: async () => {},
    async podStarts(pod, ip) {
      // Whoever cannot ask the server for policies, as at its own start, begins without.
      if (followed.settling) await within(followed.settling, policiesMs)
      if (policies.podStarts(pod, ip) && !(await within(proxier.written(), writtenMs)))
        throw new Error('the rules of its network policies could not be written yet')
    },
    podEnded: (uid) => policies.podEnded(uid),
    async stop() {
      unfollow()
      unfollowNodes()
      await turn
      await Promise.all([proxier.stop(), routing.stop(), dns?.stop()])
    },
  }
}

/** Another cluster on this machine may have the same addresses: gone, it is cleared away; running, somebody must choose. */
async function meetNeighbours(table: string, cidrs: readonly string[], log: Logger, run: Run): Promise<void> {
  try {
    const { removed, running } = await settleNeighbours({ table, cidrs }, run)
    if (removed.length > 0) log.info({ removed }, 'a cluster that runs no more left rules for our addresses: removed')
    for (const { owner } of running)
      log.warn(
        { pid: owner.pid, cidrs: owner.cidrs },
        `another cluster of this machine (process ${owner.pid}) gives out the same addresses, and services of the two will be mixed up: end it, or give one of them other ranges with --cluster-cidr and --service-cluster-ip-range`,
      )
  } catch (err) {
    log.warn({ err }, 'the tables of nftables cannot be listed')
  }
}

export interface RemoveOptions {
  dataDir: string
  clusterCidr: string
}

/** Takes away what the agent of this directory left in the kernel: when a cluster ends, not when an agent does. */
export async function removeNetwork({ dataDir, clusterCidr }: RemoveOptions, run: Run = runCommand): Promise<void> {
  const { bridge, table } = networkNames(dataDir)
  await new NftTable({ family: 'IPv4', table, bridge, clusterCidr, serviceCidrs: [] }, run, Date.now).remove()
  await removeRoutes([clusterCidr], run)
  await removeBridge(bridge, run)
}

/** How long a pod waits for the policies to be known. */
const policiesMs = 2000

/** How long a pod waits for its rules, which are written in some tens of milliseconds. */
const writtenMs = 10_000

const zoneLabel = 'topology.kubernetes.io/zone'

/** Of a node, the network needs little, and a thousand nodes are held by every agent. */
function placeOfNode({ apiVersion, kind, metadata, spec, status }: Live<Node>): Live<Node> {
  const { name, uid, resourceVersion, labels } = metadata
  const zone = labels?.[zoneLabel]
  const { podCIDR, podCIDRs } = spec ?? {}
  return {
    ...(apiVersion ? { apiVersion } : {}),
    ...(kind ? { kind } : {}),
    metadata: {
      name,
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(zone ? { labels: { [zoneLabel]: zone } } : {}),
    },
    spec: { ...(podCIDR ? { podCIDR } : {}), ...(podCIDRs ? { podCIDRs } : {}) },
    status: { addresses: status?.addresses ?? [] },
  } as Live<Node>
}

/** What pods send to a node keeps the pod's address: the node knows the way back. */
function nodeAddresses(nodes: readonly Node[]): Fragment {
  const addresses = new Set(nodes.map((node) => nodeAddress(node, 'IPv4')))
  const elements = [...addresses].filter((ip) => ip !== undefined).map((key) => ({ set: 'node-ips' as const, key }))
  return { elements, chains: [], sets: [] }
}

/** Whether it is done in time. */
async function within(work: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController()
  const done = work.then(
    () => true,
    () => false,
  )
  try {
    return await Promise.race([done, delay(ms, false, { signal: timer.signal, ref: false })])
  } finally {
    timer.abort()
  }
}

async function serveDns(options: NetworkOptions, services: ServiceTable, address: string): Promise<DnsServer> {
  const { clusterDns, clusterDomain, clusterCidr, serviceCidr, resolvConf = '/etc/resolv.conf', log } = options
  const forwarder = new Forwarder({
    servers: () => upstreamServers(resolvConf, [clusterDns, address]),
    now: Date.now,
  })
  const zone = { domain: clusterDomain, dnsAddress: clusterDns, cidrs: [clusterCidr, serviceCidr], services }
  // Any port will do, as the rules lead there; but a steady one keeps the flows of clients across a restart.
  return startDnsServer(new Resolver(zone, forwarder), address, [53, 1053, 0], log)
}

/** Leads what is meant for the DNS service to the server on this node. */
function dnsFragment(clusterDns: string, { address, port }: DnsServer): Fragment {
  const protocols = ['udp', 'tcp'] as const
  return {
    elements: protocols.map((protocol) => ({
      set: 'service-ips',
      key: `${clusterDns} . ${protocolNumber[protocol]} . 53`,
      verdict: `goto dns/${protocol}`,
    })),
    chains: protocols.map((protocol) => ({
      name: `dns/${protocol}`,
      rules: [`meta l4proto ${protocolNumber[protocol]} dnat to ${address}:${port}`],
    })),
    sets: [],
  }
}
