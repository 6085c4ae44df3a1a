import { tokenTrackingMap } from '../api/authentication/legacy-token.ts'
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from '../api/flowcontrol/index.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import type { Resource } from '../api/machinery/resource.ts'
import { formatTime } from '../api/machinery/time.ts'
import { systemPriorityClasses } from '../api/scheduling/index.ts'
import type { Wanted } from './bootstrap.ts'

export interface SystemObjectOptions {
  lookup: (group: string, plural: string) => Resource
  serviceClusterIpRange: string
  /** Of the service `kubernetes`: the first of the range. */
  apiServiceIp: string
  advertiseAddress: string
  securePort: number
  clientCa: string
  /** Who signs the certificate by which the server proves itself to those behind it. */
  frontProxyCa: string
  nowMs: number
}

const flowGroup = 'flowcontrol.apiserver.k8s.io'
const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** What every cluster has from its first moment: namespaces, the API's own service, priority classes. */
export function systemObjects(options: SystemObjectOptions): Wanted[] {
  const { lookup, serviceClusterIpRange, clientCa, frontProxyCa, nowMs } = options
  const want = (group: string, plural: string, namespace: string, object: object): Wanted => ({
    resource: lookup(group, plural),
    namespace,
    object: object as AnyObject,
  })
  return [
    ...systemNamespaces.map((name) =>
      want('', 'namespaces', '', {
        metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      }),
    ),
    // A controller makes them in every namespace; these few let pods run from the first moment.
    ...systemNamespaces.map((namespace) => want('', 'serviceaccounts', namespace, { metadata: { name: 'default' } })),
    ...systemPriorityClasses.map((object) => want('scheduling.k8s.io', 'priorityclasses', '', object)),
    ...bootstrapPriorityLevels.map((object) => want(flowGroup, 'prioritylevelconfigurations', '', object)),
    ...bootstrapFlowSchemas.map((object) => want(flowGroup, 'flowschemas', '', object)),
    want('networking.k8s.io', 'servicecidrs', '', {
      metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
      spec: { cidrs: serviceClusterIpRange.split(',').map((cidr) => cidr.trim()) },
      status: { conditions: [] },
    }),
    want('', 'configmaps', 'kube-system', {
      metadata: { name: 'extension-apiserver-authentication' },
      data: {
        'client-ca-file': clientCa,
        'requestheader-allowed-names': '["front-proxy-client"]',
        'requestheader-client-ca-file': frontProxyCa,
        'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
        'requestheader-group-headers': '["X-Remote-Group"]',
        'requestheader-uid-headers': '["X-Remote-Uid"]',
        'requestheader-username-headers': '["X-Remote-User"]',
      },
    }),
    want('', 'configmaps', 'kube-system', {
      metadata: { name: tokenTrackingMap },
      data: { since: formatTime(nowMs).slice(0, 10) },
    }),
    ...apiService(options, want),
  ]
}

/** The service `kubernetes` and where it leads. */
function apiService(
  { apiServiceIp, advertiseAddress, securePort, lookup }: SystemObjectOptions,
  want: (group: string, plural: string, namespace: string, object: object) => Wanted,
): Wanted[] {
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const family = apiServiceIp.includes(':') ? 'IPv6' : 'IPv4'
  const subsets = [
    { addresses: [{ ip: advertiseAddress }], ports: [{ name: 'https', port: securePort, protocol: 'TCP' }] },
  ]
  const slice = {
    addressType: advertiseAddress.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
    ports: [{ name: 'https', port: securePort, protocol: 'TCP' }],
  }
  return [
    {
      ...want('', 'services', 'default', {
        metadata: { name: 'kubernetes', labels },
        spec: {
          type: 'ClusterIP',
          clusterIP: apiServiceIp,
          clusterIPs: [apiServiceIp],
          ipFamilies: [family],
          ipFamilyPolicy: 'SingleStack',
          internalTrafficPolicy: 'Cluster',
          sessionAffinity: 'None',
          ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: securePort }],
        },
        status: { loadBalancer: {} },
      }),
      reconcile: (standing) => withTargetPort(standing, securePort),
    },
    want('networking.k8s.io', 'ipaddresses', '', {
      metadata: {
        name: apiServiceIp,
        labels: {
          'ipaddress.kubernetes.io/ip-family': family,
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'kubernetes' } },
    }),
    {
      resource: lookup('', 'endpoints'),
      namespace: 'default',
      object: {
        metadata: { name: 'kubernetes', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
        subsets,
      },
      reconcile: (standing) => withAddress(standing, advertiseAddress, securePort),
    },
    {
      resource: lookup('discovery.k8s.io', 'endpointslices'),
      namespace: 'default',
      object: {
        metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
        ...slice,
      },
      reconcile: (standing) =>
        JSON.stringify(standing.endpoints).includes(`"${advertiseAddress}"`) &&
        JSON.stringify(standing.ports).includes(String(securePort))
          ? undefined
          : { ...standing, ...slice },
    },
  ]
}

/** The service leads to the port of the server that started last, as upstream's does. */
function withTargetPort(standing: AnyObject, targetPort: number): AnyObject | undefined {
  const spec = standing.spec as { ports?: { targetPort?: number | string }[] }
  const [first, ...more] = spec.ports ?? []
  if (first?.targetPort === targetPort && more.length === 0) return undefined
  return { ...standing, spec: { ...spec, ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort }] } }
}

interface Subset {
  addresses?: { ip: string }[]
  ports?: { name?: string; port: number }[]
}

/** Adds this server beside the others on the same port; a changed port means a single server that moved. */
function withAddress(standing: AnyObject, ip: string, port: number): AnyObject | undefined {
  const [subset] = (standing.subsets ?? []) as Subset[]
  const samePort = subset?.ports?.[0]?.port === port
  if (subset && samePort && subset.addresses?.some((address) => address.ip === ip)) return undefined
  const others = subset && samePort ? (subset.addresses ?? []) : []
  return {
    ...standing,
    subsets: [{ addresses: [...others, { ip }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  }
}
