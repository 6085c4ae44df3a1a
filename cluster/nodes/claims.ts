import type { Run } from '../../node-agent/network/command.ts'

interface Route {
  dev?: string
}

/**
 * Throws when one of the ranges is somebody else's on this machine: a way through our nodes would take it from them. The way
 * through nodes of a cluster in which nothing runs any more may be taken.
 */
export async function claimRanges(ranges: readonly string[], bridge: string, run: Run): Promise<void> {
  for (const range of ranges) {
    const routes: Route[] = JSON.parse((await run('ip', ['-json', 'route', 'show', 'exact', range])) || '[]')
    for (const { dev = 'nowhere' } of routes) {
      if (dev === bridge) continue
      const [, id] = /^gn([0-9a-f]{6})$/.exec(dev) ?? []
      if (id === undefined)
        throw new Error(
          `this machine sends ${range}, the addresses of services or pods, to ${dev}: run the cluster in a network namespace of its own (ip netns add NAME; ip netns exec NAME gantry up …), or on one node`,
        )
      const pid = await somebodyIn(id, run)
      if (pid !== undefined)
        throw new Error(
          `another cluster of several nodes runs on this machine (process ${pid}) and has the addresses of ${range}: end it with gantry down --data-dir DIR, or run this one in a network namespace of its own (ip netns add NAME; ip netns exec NAME gantry up …)`,
        )
    }
  }
}

/** A process in one of the cluster's namespaces. */
async function somebodyIn(id: string, run: Run): Promise<string | undefined> {
  const listed: { name: string }[] = JSON.parse((await run('ip', ['-json', 'netns', 'list'])) || '[]')
  for (const { name } of listed) {
    if (!name.startsWith(`gantry-${id}-node-`)) continue
    const [pid] = (await run('ip', ['netns', 'pids', name])).trim().split('\n')
    if (pid) return pid
  }
  return undefined
}
