import { join, resolve } from 'node:path'

/** Where things lie in a data directory. */
export interface Layout {
  dataDir: string
  /** What the cluster was made as: {@link Settings} of settings.ts. */
  settings: string
  /** Of the administrator. */
  kubeconfig: string
  pki: string
  logs: string
  /** Records of running processes. */
  run: string
  /** etcd's data, if it is the store. */
  etcd: string
  kubeconfigOf(component: string): string
  /** What belongs to one node. */
  node(name: string): string
}

/** The layout of a data directory, in absolute paths. */
export function layoutOf(dataDir: string): Layout {
  const root = resolve(dataDir)
  return {
    dataDir: root,
    settings: join(root, 'cluster.json'),
    kubeconfig: join(root, 'kubeconfig'),
    pki: join(root, 'pki'),
    logs: join(root, 'logs'),
    run: join(root, 'run'),
    etcd: join(root, 'etcd'),
    kubeconfigOf: (component) => join(root, `${component}.kubeconfig`),
    node: (name) => join(root, 'nodes', name),
  }
}

/** The name of the supervisor's own record. */
export const supervisorName = 'supervisor'
