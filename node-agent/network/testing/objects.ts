import type {
  Endpoint,
  EndpointSlice,
  NetworkPolicy,
  NetworkPolicySpec,
  Pod,
  Service,
  ServiceSpec,
  ServiceStatus,
} from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'

/** A service for tests: `namespace/name`, one port 80 named `http` unless the spec says else. */
export function service(
  name: string,
  clusterIp: string,
  spec: Partial<ServiceSpec> = {},
  status?: ServiceStatus,
): Live<Service> {
  const [namespace = '', shortName = ''] = name.split('/')
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name: shortName },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }],
      ...spec,
    },
    ...(status ? { status } : {}),
  }
}

export interface TestEndpoint extends Partial<Omit<Endpoint, 'addresses'>> {
  ip: string
}

/** A slice of the service with these endpoints; the port is 8080 named `http` over TCP unless given. */
export function slice(
  name: string,
  endpoints: readonly (string | TestEndpoint)[],
  ports: EndpointSlice['ports'] = [{ name: 'http', port: 8080, protocol: 'TCP' }],
  suffix = 'a1',
): Live<EndpointSlice> {
  const [namespace = '', shortName = ''] = name.split('/')
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${shortName}-${suffix}`, labels: { 'kubernetes.io/service-name': shortName } },
    addressType: endpoints.some((endpoint) => (typeof endpoint === 'string' ? endpoint : endpoint.ip).includes(':'))
      ? 'IPv6'
      : 'IPv4',
    endpoints: endpoints.map((endpoint) => {
      const { ip, ...rest } = typeof endpoint === 'string' ? { ip: endpoint } : endpoint
      return { addresses: [ip], conditions: { ready: true, serving: true, terminating: false }, ...rest }
    }),
    ports: ports ?? [],
  }
}

/** A running pod of `node-1`, `namespace/name`, whose label `app` is its name, with port 8080 named `http`. */
export function pod(name: string, podIP?: string, spec: Partial<Pod['spec']> = {}): Live<Pod> {
  const [namespace = '', shortName = ''] = name.split('/')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: shortName, uid: name, labels: { app: shortName } },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }],
      ...spec,
    },
    status: { phase: 'Running', ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}) },
  }
}

/** A policy `namespace/name` about the pod whose label `app` is `app`; all of the namespace without one. */
export function policy(name: string, app: string | undefined, spec: Partial<NetworkPolicySpec>): Live<NetworkPolicy> {
  const [namespace = '', shortName = ''] = name.split('/')
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace, name: shortName },
    spec: { podSelector: app === undefined ? {} : { matchLabels: { app } }, policyTypes: ['Ingress'], ...spec },
  }
}
