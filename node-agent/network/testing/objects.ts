import type { Endpoint, EndpointSlice, Service, ServiceSpec, ServiceStatus } from '../../../api/generated/types.ts'
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
