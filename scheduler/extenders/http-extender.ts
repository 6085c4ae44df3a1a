import { readFileSync } from 'node:fs'
import type { Node, Pod } from '../../api/generated/types.ts'
import { parseDuration } from '../../api/machinery/duration.ts'
import type { Live } from '../../client/types.ts'
import type { ExtenderConfig } from '../configuration/types.ts'
import { type Extender, type ExtenderVictims, type Passed, usesAny } from './extender.ts'
import { type Lowered, lowered, newPoster } from './post.ts'

const defaultTimeoutMs = 5000

/** An extender that is asked over HTTP, with upstream's messages. Throws an Error for a file that cannot be read. */
export function newHttpExtender(config: ExtenderConfig): Extender {
  const { urlPrefix, filterVerb, prioritizeVerb, preemptVerb, bindVerb, nodeCacheCapable = false } = config
  const managed = new Set((config.managedResources ?? []).map(({ name }) => name))
  const ask = newPoster(urlPrefix, {
    timeoutMs: parseDuration(config.httpTimeout ?? '') || defaultTimeoutMs,
    tls: tlsOf(config),
  })
  const about = (pod: Live<Pod>, nodes: readonly Live<Node>[]) => ({
    Pod: whole(pod, 'Pod'),
    ...(nodeCacheCapable
      ? { NodeNames: nodes.map(({ metadata }) => metadata.name) }
      : { Nodes: { apiVersion: 'v1', kind: 'NodeList', items: nodes.map((node) => whole(node, 'Node')) } }),
  })
  return {
    name: urlPrefix,
    isIgnorable: config.ignorable ?? false,
    weight: config.weight ?? 0,
    isInterested: (pod) => usesAny(pod, managed),
    ...(filterVerb
      ? {
          filter: async (pod: Live<Pod>, nodes: readonly Live<Node>[]) =>
            passed(urlPrefix, nodes, refuseError(await ask(filterVerb, about(pod, nodes)))),
        }
      : {}),
    ...(prioritizeVerb
      ? {
          prioritize: async (pod: Live<Pod>, nodes: readonly Live<Node>[]) =>
            scores(await ask(prioritizeVerb, about(pod, nodes))),
        }
      : {}),
    ...(preemptVerb
      ? {
          preempt: async (pod: Live<Pod>, victims: ReadonlyMap<string, ExtenderVictims>) =>
            keptVictims(await ask(preemptVerb, { Pod: whole(pod, 'Pod'), ...victimsOf(victims, nodeCacheCapable) })),
        }
      : {}),
    ...(bindVerb
      ? {
          async bind({ metadata }: Live<Pod>, node: string) {
            const { name, namespace, uid } = metadata
            refuseError(await ask(bindVerb, { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node }))
          },
        }
      : {}),
  }
}

const whole = <T extends object>(object: T, kind: string): object => ({ apiVersion: 'v1', kind, ...object })

function tlsOf({ enableHTTPS, tlsConfig = {} }: ExtenderConfig) {
  const { insecure, serverName, certData, certFile, keyData, keyFile, caData, caFile } = tlsConfig
  const pem = (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, 'base64') : file ? readFileSync(file) : undefined
  const ca = pem(caData, caFile)
  const cert = pem(certData, certFile)
  const key = pem(keyData, keyFile)
  return {
    // Upstream trusts anybody where HTTPS is asked for and no authority is named.
    rejectUnauthorized: !(insecure || (enableHTTPS && !ca)),
    ...(serverName ? { servername: serverName } : {}),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  }
}

function refuseError(answer: unknown): Lowered {
  const fields = lowered(answer)
  if (fields.error) throw new Error(String(fields.error))
  return fields
}

function passed(name: string, nodes: readonly Live<Node>[], answer: Lowered): Passed {
  const list = lowered(answer.nodes ?? {}).items as { metadata?: { name?: string } }[] | undefined
  const names = (answer.nodenames as string[] | undefined) ?? list?.map(({ metadata }) => metadata?.name ?? '') ?? []
  const known = new Set(nodes.map(({ metadata }) => metadata.name))
  const unknown = names.find((node) => !known.has(node))
  if (unknown !== undefined) {
    throw new Error(
      `extender ${JSON.stringify(name)} claims a filtered node ${JSON.stringify(unknown)} which is not found in the input node list`,
    )
  }
  return {
    nodes: new Set(names),
    failed: (answer.failednodes ?? {}) as Record<string, string>,
    hopeless: (answer.failedandunresolvablenodes ?? {}) as Record<string, string>,
  }
}

const scores = (answer: unknown): Map<string, number> =>
  new Map(
    (Array.isArray(answer) ? answer : []).map((each) => {
      const { host, score } = lowered(each)
      return [String(host), Number(score)]
    }),
  )

function victimsOf(victims: ReadonlyMap<string, ExtenderVictims>, byUid: boolean): object {
  const list = [...victims].map(([node, { pods, violations }]) => [
    node,
    {
      Pods: byUid ? pods.map(({ metadata }) => ({ UID: metadata.uid })) : pods.map((pod) => whole(pod, 'Pod')),
      NumPDBViolations: violations,
    },
  ])
  return { [byUid ? 'NodeNameToMetaVictims' : 'NodeNameToVictims']: Object.fromEntries(list) }
}

function keptVictims(answer: unknown): Map<string, { uids: string[]; violations: number }> {
  const kept = Object.entries((lowered(answer).nodenametometavictims ?? {}) as Record<string, unknown>)
  return new Map(
    kept.map(([node, victims]) => {
      const { pods = [], numpdbviolations = 0 } = lowered(victims)
      const uids = (pods as unknown[]).map((pod) => String(lowered(pod).uid))
      return [node, { uids, violations: Number(numpdbviolations) }]
    }),
  )
}
