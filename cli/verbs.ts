import type { Verbs } from './verb.ts'

/** The kubectl-like verbs. */
export const verbs: Verbs = {
  apply: { summary: 'make objects as files describe them', load: async () => (await import('./apply.ts')).apply },
  create: { summary: 'make objects from files or from words', load: async () => (await import('./create.ts')).create },
  get: { summary: 'show objects', load: async () => (await import('./get.ts')).get },
  describe: {
    summary: 'tell all of objects, with their events',
    load: async () => (await import('./describe.ts')).describe,
  },
  delete: { summary: 'delete objects', load: async () => (await import('./delete.ts')).deleteVerb },
  exec: { summary: 'run a command in a container', load: async () => (await import('./exec.ts')).exec },
  attach: {
    summary: 'connect to a container that runs',
    load: async () => (await import('./attach.ts')).attach,
  },
  debug: {
    summary: 'look into pods and nodes from a container beside',
    load: async () => (await import('./debug.ts')).debug,
  },
  logs: { summary: 'show what containers print', load: async () => (await import('./logs.ts')).logs },
  scale: { summary: 'set how many replicas there are', load: async () => (await import('./scale.ts')).scale },
  set: {
    summary: 'change images, environment, resources and more of workloads',
    load: async () => (await import('./set.ts')).set,
  },
  rollout: {
    summary: 'watch, pause, restart or undo a rollout',
    load: async () => (await import('./rollout.ts')).rollout,
  },
  label: { summary: 'set or remove labels', load: async () => (await import('./label.ts')).label },
  annotate: { summary: 'set or remove annotations', load: async () => (await import('./label.ts')).annotate },
  patch: { summary: 'change some fields of an object', load: async () => (await import('./patch.ts')).patch },
  cordon: { summary: 'keep new pods from a node', load: async () => (await import('./cordon.ts')).cordon },
  uncordon: { summary: 'let them in again', load: async () => (await import('./cordon.ts')).uncordon },
  wait: { summary: 'wait until objects are as wanted', load: async () => (await import('./wait.ts')).wait },
  events: { summary: 'show what has happened', load: async () => (await import('./events.ts')).events },
  top: { summary: 'show what nodes and pods use', load: async () => (await import('./top.ts')).top },
  drain: { summary: 'empty a node', load: async () => (await import('./drain.ts')).drain },
  taint: {
    summary: 'keep pods that do not tolerate it from a node',
    load: async () => (await import('./taint.ts')).taint,
  },
  auth: { summary: 'who you are, and what you may', load: async () => (await import('./auth.ts')).auth },
  run: { summary: 'run an image in a pod', load: async () => (await import('./run-image.ts')).runImage },
  expose: { summary: 'make a service for pods', load: async () => (await import('./expose.ts')).expose },
  autoscale: {
    summary: 'let the load decide how many replicas',
    load: async () => (await import('./autoscale.ts')).autoscale,
  },
  replace: { summary: 'put objects in the place of others', load: async () => (await import('./replace.ts')).replace },
  certificate: {
    summary: 'approve or deny certificate requests',
    load: async () => (await import('./certificate.ts')).certificate,
  },
  'cluster-info': {
    summary: 'where the cluster answers',
    load: async () => (await import('./cluster-info.ts')).clusterInfo,
  },
  dashboard: {
    summary: 'a link that lets you into the page, once',
    load: async () => (await import('./dashboard.ts')).dashboard,
  },
  version: {
    summary: 'show the versions of client and server',
    load: async () => (await import('./version.ts')).version,
  },
  history: {
    summary: 'show every version of an object, and who wrote it',
    load: async () => (await import('./history.ts')).history,
  },
  undo: { summary: 'take back the last change of an object', load: async () => (await import('./undo.ts')).undo },
  tree: {
    summary: 'show an object with what it owns and what it needs',
    load: async () => (await import('./tree.ts')).tree,
  },
  watch: {
    summary: 'a cluster live: what is wrong, logs, descriptions, shells',
    load: async () => (await import('./watch-cluster.ts')).watchCluster,
  },
  proxy: { summary: 'serve the API on this machine, as you', load: async () => (await import('./proxy.ts')).proxy },
  plugin: {
    summary: 'commands that you have added',
    load: async () => (await import('./plugin.ts')).pluginAmong(verbs),
  },
  completion: {
    summary: 'let the shell complete what you type',
    load: async () => (await import('./completion.ts')).completion,
  },
  __complete: {
    summary: 'what a shell asks',
    load: async () => (await import('./completion.ts')).completeAmong(verbs),
  },
  compose: {
    summary: 'run the services of a compose file',
    load: async () => (await import('./compose.ts')).compose,
  },
  record: { summary: 'keep the history of objects in a file', load: async () => (await import('./record.ts')).record },
  replay: {
    summary: 'make a recorded history happen again elsewhere',
    load: async () => (await import('./replay.ts')).replay,
  },
  kustomize: {
    summary: 'show what a kustomization makes',
    load: async () => (await import('./kustomize.ts')).kustomize,
  },
  diff: {
    summary: 'show what an apply would change, or has changed',
    load: async () => (await import('./diff.ts')).diff,
  },
  edit: { summary: 'change objects in an editor', load: async () => (await import('./edit.ts')).edit },
  'port-forward': {
    summary: 'reach ports of pods from here',
    load: async () => (await import('./port-forward.ts')).portForward,
  },
  cp: { summary: 'copy files to and from containers', load: async () => (await import('./cp.ts')).cp },
  explain: { summary: 'tell what fields mean', load: async () => (await import('./explain.ts')).explainVerb },
  config: { summary: 'show and change kubeconfigs', load: async () => (await import('./config.ts')).config },
  volume: {
    summary: 'list claims, and move what is in them',
    load: async () => (await import('./volume.ts')).volume,
  },
  options: { summary: 'flags that every command has', load: async () => (await import('./options.ts')).options },
  'api-versions': {
    summary: 'list the versions of the API that the server knows',
    load: async () => (await import('./api-versions.ts')).apiVersions,
  },
  'api-resources': {
    summary: 'list the kinds that the server knows',
    load: async () => (await import('./api-resources.ts')).apiResources,
  },
}
