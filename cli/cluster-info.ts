import pc from 'picocolors'
import type { Service } from '../api/generated/types.ts'
import type { Live } from '../client/types.ts'
import { dump } from './cluster-info/dump.ts'
import { listObjects } from './objects.ts'
import type { Verb } from './verb.ts'

export const clusterInfo: Verb<object> = {
  usage: '[dump]',
  examples: ['gantry cluster-info', 'gantry cluster-info dump --output-directory=state'],
  alone: true,
  verbs: { dump },
  async run(session) {
    const { server } = session.client.config
    const { green, yellow } = pc.createColors(session.io.isTerminal.stdout && !session.io.env.NO_COLOR)
    const line = (what: string, where: string) => session.io.out(`${green(what)} is running at ${yellow(where)}\n`)
    const services = (await listObjects(session, (await session.kinds()).named('services'), {
      namespace: 'kube-system',
      labelSelector: 'kubernetes.io/cluster-service=true',
    })) as unknown as Live<Service>[]
    line('Kubernetes control plane', server)
    for (const { metadata, spec } of services) {
      const [port] = spec?.ports ?? []
      const scheme = port && /^https/.test(port.name ?? '') ? 'https:' : ''
      const name = `${scheme}${metadata.name}:${port?.name ?? ''}`.replace(/:$/, '')
      const path = `/api/v1/namespaces/${metadata.namespace}/services/${name}/proxy`
      line(metadata.labels?.['kubernetes.io/name'] ?? metadata.name, `${server}${path}`)
    }
    session.io.out('\nTo see what is wrong in it, use `gantry events -A --types=Warning` and `gantry get pods -A`.\n')
    return 0
  },
}
