import type { NodeAttributes } from './types.ts'

const verbs: Record<string, string> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Finer names than `proxy`, by the first part of the path; either permits. */
const finer: Record<string, string> = { pods: 'pods', runningpods: 'pods', healthz: 'healthz', configz: 'configz' }
const own: Record<string, string> = { stats: 'stats', metrics: 'metrics', logs: 'log', checkpoint: 'checkpoint' }

/** What a request asks of the node, each of which permits it: a verb on `nodes/…`, as upstream's kubelet sees it. */
export function nodeAttributes(method: string, path: string): NodeAttributes[] {
  const verb = verbs[method] ?? ''
  const first = path.split('/')[1] ?? ''
  const subresources = own[first] ? [own[first]] : finer[first] ? [finer[first], 'proxy'] : ['proxy']
  return subresources.map((subresource) => ({ verb, subresource, path }))
}
