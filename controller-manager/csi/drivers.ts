import type { CSIDriver, CSINode, Node } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import { csiDrivers, csiNodes, nodes as nodeResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import type { ControllerDeps } from '../types.ts'
import { callDriver } from './relay.ts'

const controllersAnnotation = 'gantry.dev/csi-controllers'

/** A node on which a driver is registered and can be asked. */
export interface DriverNode {
  name: string
  labels: Labels
  /** What places of this node are called by the driver's topology. */
  segments: Labels
}

/** What is known of drivers, and how to call them. */
export interface Drivers {
  /** Whether our controllers act for the driver: its CSIDriver asks for them. */
  isOurs(driver: string): boolean
  /** Undefined for one that is not there. */
  driver(name: string): Live<CSIDriver> | undefined
  /** The ready nodes where the driver can be asked, by name. */
  nodesOf(driver: string): DriverNode[]
  /** The name by which a driver knows a node. */
  nodeId(driver: string, node: string): string | undefined
  call<A>(node: string, driver: string, method: string, message: object, signal: AbortSignal): Promise<A>
  /** The types of what the driver's controller can do: CREATE_DELETE_VOLUME. Asked once. */
  capabilities(node: string, driver: string, signal: AbortSignal): Promise<ReadonlySet<string>>
}

/** Follows drivers and nodes. Ask for it before the informers are started. */
export function newDrivers({ api, informers }: Pick<ControllerDeps, 'api' | 'informers'>): Drivers {
  const drivers = informers.for<CSIDriver>(csiDrivers).lister
  const registrations = informers.for<CSINode>(csiNodes).lister
  const nodes = informers.for<Node>(nodeResource).lister
  const known = new Map<string, ReadonlySet<string>>()
  const registration = (driver: string, node: string) =>
    registrations.get(undefined, node)?.spec.drivers?.find(({ name }) => name === driver)
  const call = <A>(node: string, driver: string, method: string, message: object, signal: AbortSignal) =>
    callDriver<A>(api, { node, driver }, method, message, signal)
  return {
    isOurs: (name) => drivers.get(undefined, name)?.metadata.annotations?.[controllersAnnotation] === 'built-in',
    driver: (name) => drivers.get(undefined, name),
    nodesOf: (driver) =>
      nodes
        .list()
        .flatMap((node) => {
          const found = isReady(node) ? registration(driver, node.metadata.name) : undefined
          return found ? [describe(node, found.topologyKeys ?? [])] : []
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    nodeId: (driver, node) => registration(driver, node)?.nodeID,
    call,
    async capabilities(node, driver, signal) {
      const standing = known.get(driver)
      if (standing) return standing
      const answer = await call<{ capabilities?: { rpc?: { type?: string } }[] }>(
        node,
        driver,
        'ControllerGetCapabilities',
        {},
        signal,
      )
      const types = new Set((answer.capabilities ?? []).flatMap(({ rpc }) => rpc?.type ?? []))
      known.set(driver, types)
      return types
    },
  }
}

function describe({ metadata }: Live<Node>, topologyKeys: readonly string[]): DriverNode {
  const { name, labels = {} } = metadata
  const segments = Object.fromEntries(
    topologyKeys.flatMap((key): [string, string][] => (labels[key] === undefined ? [] : [[key, labels[key]]])),
  )
  return { name, labels, segments }
}

const isReady = ({ status }: Live<Node>): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false
