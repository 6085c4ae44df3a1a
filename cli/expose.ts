import type { Command } from 'commander'
import type { Container, ServicePort } from '../api/generated/types.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { addCreateFlags, type CreateFlags, createOne, pairs } from './create/creating.ts'
import { wholeNumber } from './create/workloads.ts'
import { CliError } from './errors.ts'
import { addFileFlags, collectList, type FileFlags } from './flags.ts'
import { overridden } from './overrides.ts'
import { type SubjectFlags, subjectsGiven } from './subjects.ts'
import type { Verb } from './verb.ts'
import { type Subject, templateOf } from './workloads.ts'

export interface ExposeFlags extends CreateFlags, FileFlags {
  port?: string[]
  targetPort?: string
  protocol?: string
  type?: string
  name?: string
  labels?: string[]
  selector?: string[]
  clusterIp?: string
  externalIp?: string
  loadBalancerIp?: string
  sessionAffinity?: string
  overrides?: string
  overrideType?: string
}

const exposable = ['Pod', 'Service', 'ReplicationController', 'Deployment', 'ReplicaSet']

export const expose: Verb<ExposeFlags> = {
  usage: '(-f FILE | TYPE NAME | TYPE/NAME) [--port=PORT]',
  examples: ['gantry expose deployment web --port=80 --target-port=8080', 'gantry expose pod web-1 --type=NodePort'],
  define(command: Command) {
    addFileFlags(command)
      .option('--port <port>', 'the port of the service; without, those of the containers', collectList)
      .option('--target-port <port>', 'the number or name of the port of the container')
      .option('--protocol <protocol>', 'TCP, UDP or SCTP')
      .option('--type <type>', 'ClusterIP, NodePort, LoadBalancer or ExternalName')
      .option('--name <name>', 'of the service; without, that of what is exposed')
      .option('-l, --labels <labels>', 'of the service', collectList)
      .option('--selector <labels>', 'of the pods; without, those of what is exposed', collectList)
      .option('--cluster-ip <address>', 'this address, or None')
      .option('--external-ip <address>', 'one more address that leads here')
      .option('--load-balancer-ip <address>', 'this address of the load balancer')
      .option('--session-affinity <how>', 'None or ClientIP')
      .option('--overrides <json>', 'changes of the service')
      .option('--override-type <type>', 'how they are meant: merge, json or strategic', 'merge')
    addCreateFlags(command)
  },
  async run(session, args, flags) {
    for (const subject of await subjectsGiven(session, args, whichOf(flags))) {
      const service = await overridden(serviceOf(subject, flags), flags)
      await createOne(session, service, flags, { manager: 'kubectl-expose', done: 'exposed' })
    }
    return 0
  },
}

/** A selector here is one of pods, and chooses no objects to expose. */
const whichOf = ({ filename, kustomize, recursive }: ExposeFlags): SubjectFlags => ({
  ...(filename ? { filename } : {}),
  ...(kustomize ? { kustomize } : {}),
  ...(recursive ? { recursive } : {}),
})

/** The service that leads to the pods of an object. Throws for what has none, and where no port is known. */
export function serviceOf(subject: Subject, flags: ExposeFlags): AnyObject & { apiVersion: string; kind: string } {
  const { kind, object } = subject
  if (!exposable.includes(kind.kind)) throw new CliError(`cannot expose a ${kind.kind}`)
  const labels = flags.labels ? pairs(flags.labels) : object.metadata.labels
  const ports = portsOf(subject, flags)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: flags.name || object.metadata.name, ...(labels ? { labels } : {}) },
    spec: {
      ports,
      selector: flags.selector ? pairs(flags.selector) : selectorOf(subject),
      ...(flags.type ? { type: flags.type } : {}),
      ...(flags.clusterIp ? { clusterIP: flags.clusterIp } : {}),
      ...(flags.externalIp ? { externalIPs: [flags.externalIp] } : {}),
      ...(flags.loadBalancerIp ? { loadBalancerIP: flags.loadBalancerIp } : {}),
      ...(flags.sessionAffinity ? { sessionAffinity: flags.sessionAffinity } : {}),
    },
    status: { loadBalancer: {} },
  }
}

function selectorOf({ kind, object }: Subject): Record<string, string> {
  const spec = object.spec as {
    selector?: Record<string, string> & { matchLabels?: Record<string, string>; matchExpressions?: unknown[] }
  }
  if (kind.kind === 'Pod') {
    if (!object.metadata.labels)
      throw new CliError('the pod has no labels and cannot be exposed: `gantry label pod NAME app=NAME` gives it one')
    return object.metadata.labels
  }
  if (kind.group === '') return spec.selector ?? {}
  if (spec.selector?.matchExpressions?.length)
    throw new CliError("couldn't convert expressions to a map of labels: give the labels with --selector")
  return spec.selector?.matchLabels ?? {}
}

function portsOf(subject: Subject, { port: given, targetPort, protocol }: ExposeFlags): ServicePort[] {
  const found = given ? given.map((text) => ({ port: wholeNumber(text, '--port'), protocol })) : portsThere(subject)
  if (found.length === 0)
    throw new CliError(
      "couldn't find port via --port flag or introspection\nSee 'gantry expose -h' for help and examples",
    )
  const target = targetPort && (/^\d+$/.test(targetPort) ? Number(targetPort) : targetPort)
  return found.map(({ port, protocol: own }, i) => ({
    ...(found.length > 1 ? { name: `port-${i + 1}` } : {}),
    protocol: protocol ?? own ?? 'TCP',
    port,
    targetPort: target || port,
  }))
}

function portsThere({ kind, object }: Subject): { port: number; protocol: string | undefined }[] {
  if (kind.kind === 'Service')
    return ((object.spec as { ports?: ServicePort[] }).ports ?? []).map(({ port, protocol }) => ({ port, protocol }))
  const spec = kind.kind === 'Pod' ? (object.spec as { containers?: Container[] }) : templateOf(object)?.spec
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.map(({ containerPort, protocol }) => ({ port: containerPort, protocol })),
  )
}
