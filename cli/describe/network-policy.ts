import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../api/generated/types.ts'
import { formatLabelSelector } from '../../api/machinery/labels.ts'
import { describes } from './describer.ts'
import { annotationsField, field, indent, labelsField } from './lines.ts'

interface Rule {
  ports: readonly NetworkPolicyPort[]
  peers: readonly NetworkPolicyPeer[]
}

/** A network policy, in words: which pods, and what is let in and out. */
export const networkPolicy = describes<NetworkPolicy>(
  ({ metadata, spec }) => {
    const types = spec?.policyTypes ?? []
    const rules = {
      ingress: (spec?.ingress ?? []).map(({ ports = [], from: peers = [] }) => ({ ports, peers })),
      egress: (spec?.egress ?? []).map(({ ports = [], to: peers = [] }) => ({ ports, peers })),
    }
    const selector = formatLabelSelector(spec?.podSelector)
    return [
      field('Name', metadata.name),
      field('Namespace', metadata.namespace),
      field('Created on', plainTime(metadata.creationTimestamp)),
      ...labelsField('Labels', metadata.labels),
      ...annotationsField('Annotations', metadata.annotations),
      'Spec:',
      ...indent([
        `PodSelector:     ${selector === '<none>' ? '<none> (Allowing the specific traffic to all pods in this namespace)' : selector}`,
        ...(types.includes('Ingress')
          ? ['Allowing ingress traffic:', ...indent(ruleLines(rules.ingress, 'ingress'))]
          : ['Not affecting ingress traffic']),
        ...(types.includes('Egress')
          ? ['Allowing egress traffic:', ...indent(ruleLines(rules.egress, 'egress'))]
          : ['Not affecting egress traffic']),
        `Policy Types: ${types.join(', ')}`,
      ]),
    ]
  },
  { events: false },
)

function ruleLines(rules: readonly Rule[], direction: 'ingress' | 'egress'): string[] {
  if (rules.length === 0) return [`<none> (Selected pods are isolated for ${direction} connectivity)`]
  const [title, end] = direction === 'ingress' ? ['From', 'source'] : ['To', 'destination']
  return rules.flatMap(({ ports, peers }, i) => [
    ...(i > 0 ? ['----------'] : []),
    ...(ports.length > 0 ? ports.map(portLine) : ['To Port: <any> (traffic allowed to all ports)']),
    ...(peers.length > 0
      ? peers.flatMap((peer) => [`${title}:`, ...indent(peerLines(peer))])
      : [`${title}: <any> (traffic not restricted by ${end})`]),
  ])
}

const portLine = ({ port, endPort, protocol = 'TCP' }: NetworkPolicyPort): string =>
  endPort === undefined ? `To Port: ${port ?? '<nil>'}/${protocol}` : `To Port Range: ${port}-${endPort}/${protocol}`

function peerLines({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): string[] {
  if (podSelector || namespaceSelector)
    return [
      ...(namespaceSelector ? [`NamespaceSelector: ${formatLabelSelector(namespaceSelector)}`] : []),
      ...(podSelector ? [`PodSelector: ${formatLabelSelector(podSelector)}`] : []),
    ]
  if (!ipBlock) return []
  return ['IPBlock:', `  CIDR: ${ipBlock.cidr}`, `  Except: ${(ipBlock.except ?? []).join(', ')}`]
}

/** `2026-01-02 15:04:05 +0000 UTC`, in this machine's zone. */
function plainTime(timestamp: string | undefined): string {
  if (!timestamp) return '0001-01-01 00:00:00 +0000 UTC'
  const at = new Date(timestamp)
  const two = (value: number) => String(value).padStart(2, '0')
  const offset = -at.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  const named = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(at)
  const name = named.find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')} ${zone} ${name}`
}
