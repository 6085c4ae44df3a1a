import type { Claim } from '../../api/core/volume-binding.ts'
import type { Secret, SecretReference } from '../../api/generated/types.ts'
import { isDNS1123Label, isDNS1123Subdomain } from '../../api/machinery/names.ts'
import { secrets } from '../../client/resources.ts'
import type { Api } from '../../client/types.ts'

/** Parameters of a class that are for whoever calls the driver. */
export const reservedPrefix = 'csi.storage.k8s.io/'

/** For which calls a class can name a secret. */
export type SecretRole =
  | 'provisioner'
  | 'controller-publish'
  | 'controller-expand'
  | 'controller-modify'
  | 'node-stage'
  | 'node-publish'
  | 'node-expand'
  | 'snapshotter'
  | 'snapshotter-list'

const roleParameter = (role: SecretRole | '', part: 'name' | 'namespace'): string =>
  `${reservedPrefix}${role === '' ? '' : `${role}-`}secret-${part}`

const provisioningRoles: readonly SecretRole[] = [
  'provisioner',
  'controller-publish',
  'controller-expand',
  'controller-modify',
  'node-stage',
  'node-publish',
  'node-expand',
]

/** The reserved parameters that a storage class may have besides `fstype`. */
export const secretParameters: ReadonlySet<string> = new Set(
  (['', ...provisioningRoles] as const).flatMap((role) => [
    roleParameter(role, 'name'),
    roleParameter(role, 'namespace'),
  ]),
)

/** What `${…}` stands for. A namespace is not to be what a user who makes claims can choose, a name may be. */
export interface SecretTokens {
  name: Readonly<Record<string, string>>
  namespace: Readonly<Record<string, string>>
}

/** The tokens of a volume that is made for a claim. */
export const claimTokens = (volumeName: string, { metadata }: Claim): SecretTokens => {
  const { name = '', namespace = '', annotations = {} } = metadata
  const fixed = { 'pv.name': volumeName, 'pvc.namespace': namespace }
  const annotated = Object.entries(annotations).map(([key, value]) => [`pvc.annotations['${key}']`, value])
  return { namespace: fixed, name: { ...Object.fromEntries(annotated), ...fixed, 'pvc.name': name } }
}

/** The secret that a class names for a call, or for all calls; undefined: none. Throws where that makes no name. */
export function secretReference(
  parameters: Readonly<Record<string, string>> | undefined,
  role: SecretRole,
  tokens: SecretTokens,
): SecretReference | undefined {
  const template = templateOf(parameters, role) ?? templateOf(parameters, '')
  if (!template) return undefined
  const namespace = resolve(template.namespace, tokens.namespace)
  const name = resolve(template.name, tokens.name)
  if (isDNS1123Label(namespace).length > 0)
    throw new Error(`${resolvedTo(template.namespace, namespace)} namespace name`)
  if (isDNS1123Subdomain(name).length > 0) throw new Error(`${resolvedTo(template.name, name)} secret name`)
  return { name, namespace }
}

function templateOf(
  parameters: Readonly<Record<string, string>> = {},
  role: SecretRole | '',
): { name: string; namespace: string } | undefined {
  const name = parameters[roleParameter(role, 'name')] ?? ''
  const namespace = parameters[roleParameter(role, 'namespace')] ?? ''
  if (name === '' && namespace === '') return undefined
  if (name !== '' && namespace !== '') return { name, namespace }
  throw new Error(
    `failed to get name and namespace template from params: either name and namespace for ${role || 'default'} secrets specified, Both must be specified`,
  )
}

function resolve(template: string, tokens: Readonly<Record<string, string>>): string {
  const unknown: string[] = []
  const text = template.replaceAll(/\$\{([^}]*)\}/g, (_, token: string) => {
    if (!Object.hasOwn(tokens, token)) unknown.push(token)
    return tokens[token] ?? ''
  })
  if (unknown.length === 0) return text
  const list = unknown.map((token) => JSON.stringify(token)).join(' ')
  throw new Error(`error resolving value ${JSON.stringify(template)}: invalid tokens: [${list}]`)
}

const resolvedTo = (template: string, text: string): string =>
  template === text
    ? `${JSON.stringify(text)} is not a valid`
    : `${JSON.stringify(template)} resolved to ${JSON.stringify(text)} which is not a valid`

/** What a driver is handed with a call: nothing, or what the secret holds. Throws where it is not there. */
export async function readSecret(
  api: Pick<Api, 'get'>,
  reference: SecretReference | undefined,
  signal: AbortSignal,
): Promise<{ secrets?: Record<string, string> }> {
  if (!reference?.name || !reference.namespace) return {}
  const { name, namespace } = reference
  const { data = {} } = await api.get<Secret>(secrets, { namespace, name }, { signal }).catch((error: Error) => {
    throw new Error(`error getting secret ${name} in namespace ${namespace}: ${error.message}`, { cause: error })
  })
  return {
    secrets: Object.fromEntries(
      Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64').toString()]),
    ),
  }
}
