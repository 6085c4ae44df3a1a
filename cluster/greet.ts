import { parseArgs } from 'node:util'
import type { Node } from '../api/generated/types.ts'
import { Client } from '../client/client.ts'
import { loadConfig } from '../client/config.ts'
import { isAlreadyExists } from '../client/errors.ts'
import { clusterRoleBindings, clusterRoles, nodes } from '../client/resources.ts'
import type { Api, Live, ResourceRef } from '../client/types.ts'
import { applyFiles, type Manifest } from './apply-files.ts'
import { nodeNames, rangesOf } from './components.ts'
import { ownFile } from './gantry-program.ts'
import { type Layout, layoutOf } from './layout.ts'
import { Progress } from './progress.ts'
import { type RuntimeKind, readSettings } from './settings.ts'

const readyTimeoutMs = 60_000

/**
 * `gantry greet`: what `gantry up` does as a client of the cluster it has started. Makes the system's own objects, waits
 * until every node is ready, runs the quickstart if asked to, and says what to try. Resolves to the exit code.
 */
export async function greet(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'data-dir': { type: 'string', default: '.gantry' },
      'started-at': { type: 'string' },
      quickstart: { type: 'boolean', default: false },
      detached: { type: 'boolean', default: false },
    },
  })
  const layout = layoutOf(values['data-dir'])
  const settings = readSettings(layout.settings)
  if (!settings) {
    process.stderr.write('gantry greet is for `gantry up` to call\n')
    return 2
  }
  const startedAtMs = Number(values['started-at']) || Date.now()
  const api = new Client(loadConfig({ kubeconfig: layout.kubeconfig }))
  const progress = new Progress()
  progress.done(`the API serves at https://127.0.0.1:${settings.port}`, Date.now() - startedAtMs)
  const made = applySystem(api, settings.runtime)
  // Its failure is told below, when it is waited for.
  made.catch(() => {})
  const names = nodeNames(settings.nodes)
  progress.doing(names.length === 1 ? `waiting for the node ${names[0]}` : `waiting for ${names.length} nodes`)
  const late = await waitForNodes(api, names, (ready) => {
    if (names.length > 1) progress.doing(`${ready} of ${names.length} nodes are ready`)
  })
  if (late.length > 0) {
    progress.failed(`not ready after ${readyTimeoutMs / 1000} s: ${late.join(', ')}`)
    process.stderr.write(`Look at ${layout.logs}/agent-${late[0]}.log and at: kubectl describe node ${late[0]}\n`)
    return 1
  }
  const what = names.length === 1 ? `the node ${names[0]} is ready` : `${names.length} nodes are ready`
  progress.done(`${what}, on ${settings.runtime}`, Date.now() - startedAtMs)
  await made
  if (values.quickstart) {
    const { quickstart } = await import('./quickstart.ts')
    return quickstart({ api, layout, settings, progress, startedAtMs, detached: values.detached })
  }
  process.stdout.write(welcome(layout, values.detached))
  return 0
}

const systemHelp = `Usage: gantry system [flags]

Makes what a cluster needs that 'gantry up' has not started: the DNS service, storage classes, and on upstream's API server
the roles of controllers and nodes that upstream does not have. What is there already stays.

  --kubeconfig FILE   an administrator of the cluster (default $KUBECONFIG)
`

/** `gantry system`: makes the system's own objects in a cluster that `gantry up` has not started. */
export async function system(args: readonly string[]): Promise<number> {
  const options = { kubeconfig: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
  const { kubeconfig, help } = parseArgs({ args: [...args], options }).values
  if (help) {
    process.stdout.write(systemHelp)
    return 0
  }
  const api = new Client(loadConfig(kubeconfig === undefined ? {} : { kubeconfig }))
  await prepareServer(api)
  api.close()
  return 0
}

/** Makes what nodes and controllers of ours need on a server that may be another's. */
export async function prepareServer(api: Api, manifests = ownFile('manifests/system')): Promise<void> {
  await applySystem(api, 'containerd', manifests)
  await allowOwn(api)
}

/** Upstream's servers know nothing of controllers and nodes that are not upstream's: roles are made where they are missing. */
async function allowOwn(api: Api): Promise<void> {
  const make = <T>(ref: ResourceRef<T>, object: T) =>
    api.create<T>(ref, object).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  const { ownPolicy } = await import('../apiserver/auth/rbac/bootstrap.ts')
  for (const { role, binding } of ownPolicy()) {
    await make(clusterRoles, role)
    await make(clusterRoleBindings, binding)
  }
}

const applySystem = (api: Api, runtime: RuntimeKind, manifests = ownFile('manifests/system')): Promise<Manifest[]> =>
  applyFiles(api, manifests, (object) => atAddress(object, runtime))

/** The DNS service has an address of its own in every range. */
function atAddress(object: Manifest, runtime: RuntimeKind): Manifest {
  if (object.metadata.name !== 'kube-dns') return object
  return { ...object, spec: { ...(object as { spec?: object }).spec, clusterIP: rangesOf(runtime).dns } } as Manifest
}

/** Resolves when all are ready, to those that are not in time. */
async function waitForNodes(api: Api, names: readonly string[], progress: (ready: number) => void): Promise<string[]> {
  const signal = AbortSignal.timeout(readyTimeoutMs)
  const waiting = new Set(names)
  const see = (node: Live<Node>) => {
    if (isReady(node)) waiting.delete(node.metadata.name)
    else if (names.includes(node.metadata.name)) waiting.add(node.metadata.name)
    progress(names.length - waiting.size)
  }
  try {
    while (waiting.size > 0) {
      const { items, metadata } = await api.list(nodes, { signal })
      for (const node of items) see(node)
      if (waiting.size === 0) break
      for await (const event of api.watch(nodes, { resourceVersion: metadata.resourceVersion, signal })) {
        if (event.type !== 'BOOKMARK') see(event.object)
        if (waiting.size === 0) break
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return [...waiting]
}

const isReady = ({ status }: Live<Node>): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false

function welcome(layout: Layout, detached: boolean): string {
  const end = detached ? 'gantry status shows what runs, gantry down ends it' : 'Ctrl-C ends it'
  return `
  export KUBECONFIG=${layout.kubeconfig}

Three things to try:

  kubectl get nodes -o wide
  kubectl create deployment web --image=nginx --replicas=3
  kubectl explain deployment.spec.strategy

${end}; what you made is kept.
`
}
