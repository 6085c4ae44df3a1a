import type { Command } from 'commander'
import type { ServicePort } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'
import { collectList } from '../flags.ts'
import type { Verb } from '../verb.ts'
import { creating, oneName } from './creating.ts'

interface ServiceFlags {
  tcp?: string[]
  clusterip?: string
  nodePort?: string
  externalName?: string
}

const types = {
  clusterip: ['ClusterIP', 'an address inside the cluster'],
  nodeport: ['NodePort', 'a port of every node'],
  loadbalancer: ['LoadBalancer', 'an address outside of the cluster'],
  externalname: ['ExternalName', 'another name in DNS'],
} as const

const generatorOf = (word: keyof typeof types) => {
  const [type, summary] = types[word]
  return creating<ServiceFlags>({
    summary,
    usage: type === 'ExternalName' ? 'NAME --external-name=NAME' : 'NAME --tcp=PORT:TARGETPORT',
    examples: [
      `gantry create service ${word} web ${type === 'ExternalName' ? '--external-name=example.com' : '--tcp=80:8080'}`,
    ],
    define(command: Command) {
      command.option('--tcp <port:target>', 'a port and where it leads', collectList)
      if (type === 'ClusterIP') command.option('--clusterip <address>', 'this address, or None')
      if (type === 'NodePort') command.option('--node-port <port>', 'this port of the nodes')
      if (type === 'ExternalName') command.option('--external-name <name>', 'the name it stands for')
    },
    make(args, { tcp = [], clusterip, nodePort, externalName }) {
      const name = oneName(args, 'service')
      if (type === 'ExternalName' && !externalName) throw new CliError('required flag(s) "external-name" not set')
      if (tcp.length === 0 && type !== 'ExternalName' && clusterip !== 'None')
        throw new CliError('at least one tcp port specifier must be provided')
      const ports = tcp.map((text) => portOf(text, nodePort))
      return {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, labels: { app: name } },
        spec: {
          type,
          selector: { app: name },
          ...(ports.length > 0 ? { ports } : {}),
          ...(clusterip ? { clusterIP: clusterip } : {}),
          ...(externalName ? { externalName } : {}),
        },
        status: { loadBalancer: {} },
      }
    },
  })
}

/** `80:8080`, `80:http`, `80`. */
function portOf(text: string, nodePort: string | undefined): ServicePort {
  const [first = '', target = first] = text.split(':')
  const port = Number(first)
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new CliError(`invalid port specifier ${JSON.stringify(text)}: write PORT:TARGETPORT`)
  return {
    name: text.replace(':', '-'),
    port,
    protocol: 'TCP',
    targetPort: /^\d+$/.test(target) ? Number(target) : target,
    ...(nodePort && nodePort !== '0' ? { nodePort: Number(nodePort) } : {}),
  }
}

export const service: Verb & { summary: string } = {
  summary: 'a service',
  usage: '(clusterip | nodeport | loadbalancer | externalname) NAME',
  examples: ['gantry create service clusterip web --tcp=80:8080'],
  run: async () => 1,
  verbs: {
    clusterip: generatorOf('clusterip'),
    nodeport: generatorOf('nodeport'),
    loadbalancer: generatorOf('loadbalancer'),
    externalname: generatorOf('externalname'),
  },
}
