import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NodeSelector,
  NodeSelectorRequirement,
} from '../../api/generated/types.ts'
import { same } from '../framework/cluster-events.ts'
import type { Claim } from './device-world.ts'
import type { Choice } from './search.ts'

/** What is written into a claim: its devices, what their drivers are told, and where they can be reached. */
export function allocationOf(claim: Claim, choices: readonly Choice[]): AllocationResult {
  const config = configOf(claim, choices)
  const nodeSelector = nodeSelectorOf(choices)
  return {
    devices: { results: choices.map(resultOf), ...(config.length > 0 ? { config } : {}) },
    ...(nodeSelector ? { nodeSelector } : {}),
  }
}

const resultOf = ({ demand, offered }: Choice): DeviceRequestAllocationResult => ({
  request: demand.name,
  driver: offered.driver,
  pool: offered.pool,
  device: offered.device.name,
  ...(demand.adminAccess ? { adminAccess: true } : {}),
  ...(demand.tolerations.length > 0 ? { tolerations: [...demand.tolerations] } : {}),
})

/** That of the classes first, each once with the requests it is for; then that of the claim, of requests that were met. */
function configOf({ spec }: Claim, choices: readonly Choice[]): DeviceAllocationConfiguration[] {
  const met = new Map(choices.map(({ demand }) => [demand.name, demand]))
  const byClass = new Map<string, { requests: string[]; choice: Choice['demand'] }>()
  for (const [name, demand] of met) {
    const known = byClass.get(demand.deviceClass.metadata.name)
    if (known) known.requests.push(name)
    else byClass.set(demand.deviceClass.metadata.name, { requests: [name], choice: demand })
  }
  const ofClasses = [...byClass.values()].flatMap(({ requests, choice }) =>
    (choice.deviceClass.spec.config ?? []).map((config) => ({ ...config, requests, source: 'FromClass' })),
  )
  const names = new Set([...met.values()].flatMap((demand) => demand.names))
  const ofClaim = (spec.devices?.config ?? [])
    .filter(({ requests = [] }) => requests.length === 0 || requests.some((request) => names.has(request)))
    .map((config) => ({ ...config, source: 'FromClaim' }))
  return [...ofClasses, ...ofClaim]
}

/** One device of a single node binds all to it; undefined where all can be reached from everywhere. */
function nodeSelectorOf(choices: readonly Choice[]): NodeSelector | undefined {
  const matchFields: NodeSelectorRequirement[] = []
  const matchExpressions: NodeSelectorRequirement[] = []
  for (const { offered } of choices) {
    const { nodeName, nodeSelector } = offered.slice.spec
    if (nodeName !== undefined) {
      const onNode = { key: 'metadata.name', operator: 'In', values: [nodeName] }
      return { nodeSelectorTerms: [{ matchFields: [onNode] }] }
    }
    const [term] = nodeSelector?.nodeSelectorTerms ?? []
    addNew(matchFields, term?.matchFields)
    addNew(matchExpressions, term?.matchExpressions)
  }
  if (matchFields.length === 0 && matchExpressions.length === 0) return undefined
  const term = {
    ...(matchFields.length > 0 ? { matchFields } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  }
  return { nodeSelectorTerms: [term] }
}

function addNew(to: NodeSelectorRequirement[], from: readonly NodeSelectorRequirement[] = []): void {
  for (const requirement of from) if (!to.some((known) => same(known, requirement))) to.push(requirement)
}
