import type { Resource } from '../../api/machinery/resource.ts'
import { builtinKinds } from '../../api/registry.ts'

/** An object that stands in the server, for requests to try themselves on. */
export interface Seed {
  resource: Resource
  path: string
  object: unknown
  /** Subresources that can be written. */
  parts: readonly string[]
}

const template = {
  metadata: { labels: { app: 'a' } },
  spec: {
    containers: [
      {
        name: 'a',
        image: 'a:1',
        ports: [{ name: 'http', containerPort: 80 }],
        env: [{ name: 'A', value: '1' }],
        resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        livenessProbe: { httpGet: { path: '/', port: 'http' } },
      },
    ],
    volumes: [{ name: 'v', emptyDir: {} }],
    tolerations: [{ key: 'a', operator: 'Exists' }],
  },
}
const selector = { matchLabels: { app: 'a' } }

/** One of each kind that has much to get wrong. */
export const seeds: readonly Seed[] = [
  seed('', 'configmaps', { data: { a: '1' }, binaryData: { b: 'YQ==' } }),
  seed('', 'secrets', { type: 'Opaque', data: { a: 'YQ==' } }),
  seed('', 'pods', template, ['/binding', '/eviction', '/ephemeralcontainers', '/resize']),
  seed('', 'services', { spec: { selector: { app: 'a' }, ports: [{ name: 'a', port: 80, targetPort: 'http' }] } }),
  seed('', 'nodes', { spec: { podCIDR: '10.1.0.0/24', taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
  seed('', 'persistentvolumeclaims', {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }),
  seed('', 'persistentvolumes', {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' } },
  }),
  seed('', 'serviceaccounts', {}, ['/token']),
  seed('', 'endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }),
  seed('', 'limitranges', { spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '1Ti' } }] } }),
  seed('', 'resourcequotas', { spec: { hard: { pods: '1000' } } }),
  seed('', 'replicationcontrollers', { spec: { replicas: 1, selector: { app: 'a' }, template } }, ['/scale']),
  seed('apps', 'deployments', { spec: { replicas: 1, selector, template } }, ['/scale']),
  seed('apps', 'statefulsets', { spec: { serviceName: 'a', selector, template } }, ['/scale']),
  seed('apps', 'daemonsets', { spec: { selector, template } }),
  seed('batch', 'jobs', { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } }),
  seed('batch', 'cronjobs', {
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    },
  }),
  seed('networking.k8s.io', 'networkpolicies', {
    spec: { podSelector: selector, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }] },
  }),
  seed('networking.k8s.io', 'ingresses', {
    spec: {
      rules: [
        {
          host: 'a.b',
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 80 } } } }],
          },
        },
      ],
    },
  }),
  seed('rbac.authorization.k8s.io', 'roles', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
  seed('rbac.authorization.k8s.io', 'rolebindings', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' },
    subjects: [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }],
  }),
  seed('policy', 'poddisruptionbudgets', { spec: { minAvailable: '50%', selector } }),
  seed('autoscaling', 'horizontalpodautoscalers', {
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' } },
  }),
  seed('coordination.k8s.io', 'leases', { spec: { holderIdentity: 'a', renewTime: '2024-01-01T00:00:00.000000Z' } }),
  seed('discovery.k8s.io', 'endpointslices', {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ name: 'a', port: 80 }],
  }),
  seed('storage.k8s.io', 'storageclasses', { provisioner: 'a.b/c' }),
  seed('scheduling.k8s.io', 'priorityclasses', { value: 10 }),
]

function seed(group: string, plural: string, fields: object, parts: readonly string[] = []): Seed {
  const resource = builtinKinds.find((kind) => kind.group === group && kind.plural === plural)
  if (!resource) throw new Error(`no kind ${group}/${plural}`)
  const { version, kind, namespaced } = resource
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return {
    resource,
    path: `${root}${namespaced ? '/namespaces/default' : ''}/${plural}/seed`,
    object: {
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      ...fields,
      metadata: { name: 'seed', labels: { app: 'a' }, annotations: { note: 'x' }, finalizers: ['gantry.dev/held'] },
    },
    parts,
  }
}
