import type { Container, EphemeralContainer, Pod, ServiceAccount, Volume } from '../../api/generated/types.ts'
import { generateName } from '../../api/machinery/generate-name.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

const defaultAccount = 'default'
const volumePrefix = 'kube-api-access-'
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const mirrorAnnotation = 'kubernetes.io/config.mirror'
const mountableSecretsAnnotation = 'kubernetes.io/enforce-mountable-secrets'
/** Told to the client; the token itself lasts longer, see the token request. */
const tokenSeconds = 3607
/** The default account is made by a controller, a moment after its namespace. */
const attemptsForDefault = 10

/** Gives every pod a service account that is there, its token and its pull secrets. */
export function createServiceAccountAdmission({ client, lookup, sleep }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  const accounts = lookup('', 'serviceaccounts')

  const findAccount = async (attributes: AdmissionAttributes, name: string): Promise<Stored<ServiceAccount>> => {
    const { namespace } = attributes
    const cached = client.cached<Stored<ServiceAccount>>(accounts, namespace, name)
    if (cached) return cached
    const attempts = name === defaultAccount ? attemptsForDefault : 1
    const intervalMs = 100 + Math.random() * 100
    for (let i = 0; i < attempts; i++) {
      if (i > 0) await sleep(intervalMs)
      const account = await client.get<Stored<ServiceAccount>>(accounts, namespace, name)
      if (account) return account
    }
    throw refuse(
      attributes,
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    )
  }

  return {
    name: 'ServiceAccount',
    handles: ({ resource, operation, subresource }) =>
      resource === pods &&
      ((operation === 'CREATE' && subresource === '') ||
        (operation === 'UPDATE' && subresource === 'ephemeralcontainers')),
    async admit(attributes) {
      if (attributes.operation !== 'CREATE') return
      const pod = attributes.object as unknown as Stored<Pod>
      // A node reads what it wrote; a change would make it delete the pod.
      if (!pod.spec || isMirror(pod)) return
      pod.spec.serviceAccountName ||= defaultAccount
      pod.spec.serviceAccount = pod.spec.serviceAccountName
      const account = await findAccount(attributes, pod.spec.serviceAccountName)
      if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod.spec)
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        pod.spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => (name === undefined ? {} : { name }))
      }
    },
    async validate(attributes) {
      const pod = attributes.object as unknown as Stored<Pod>
      if (!pod.spec) return
      if (attributes.operation === 'CREATE' && isMirror(pod)) {
        const fault = mirrorFault(pod.spec)
        if (fault !== undefined) throw refuse(attributes, fault)
        return
      }
      const { serviceAccountName = '' } = pod.spec
      if (serviceAccountName === '') {
        const name = `${attributes.namespace}/${pod.metadata.name ?? ''}`
        throw refuse(attributes, `no service account specified for pod ${name}`)
      }
      const account = await findAccount(attributes, serviceAccountName)
      if (!/^(1|t|true)$/i.test(account.metadata.annotations?.[mountableSecretsAnnotation] ?? '')) return
      const fault =
        attributes.operation === 'CREATE'
          ? secretFault(pod.spec, account)
          : environmentFault(pod.spec.ephemeralContainers, 'ephemeral container', account)
      if (fault !== undefined) throw refuse(attributes, fault)
    },
  }
}

type PodSpec = NonNullable<Pod['spec']>

const isMirror = ({ metadata }: Stored<Pod>): boolean => metadata.annotations?.[mirrorAnnotation] !== undefined

/** Mounts the token into every container that has nothing of its own in its place. */
function mountToken(spec: PodSpec): void {
  const existing = spec.volumes?.find(({ name }) => name.startsWith(volumePrefix))
  const name = existing?.name ?? generateName(volumePrefix)
  let isNeeded = false
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }]
    isNeeded = true
  }
  if (isNeeded && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

/** The token, the authority that signs the API server's certificate, and the pod's namespace. */
const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
})

function mirrorFault(spec: PodSpec): string | undefined {
  if (spec.serviceAccountName) return 'a mirror pod may not reference service accounts'
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const usesSecrets =
    (spec.imagePullSecrets?.length ?? 0) > 0 ||
    (spec.volumes ?? []).some(
      ({ secret, projected }) => secret || projected?.sources?.some((source) => source.secret),
    ) ||
    containers.some(
      ({ env, envFrom }) =>
        env?.some(({ valueFrom }) => valueFrom?.secretKeyRef) || envFrom?.some(({ secretRef }) => secretRef),
    )
  if (usesSecrets) return 'a mirror pod may not reference secrets'
  const usesToken = (spec.volumes ?? []).some(({ projected }) =>
    projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken),
  )
  return usesToken ? 'a mirror pod may not use ServiceAccountToken volume projections' : undefined
}

function secretFault(spec: PodSpec, account: Stored<ServiceAccount>): string | undefined {
  const accountName = account.metadata.name
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name))
  for (const { secret } of spec.volumes ?? []) {
    if (secret && !mountable.has(secret.secretName)) {
      return `volume with secret.secretName="${secret.secretName}" is not allowed because service account ${accountName} does not reference that secret`
    }
  }
  const inContainers =
    environmentFault(spec.initContainers, 'init container', account) ??
    environmentFault(spec.containers, 'container', account)
  if (inContainers !== undefined) return inContainers
  const pullable = new Set((account.imagePullSecrets ?? []).map(({ name }) => name))
  for (const [i, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!pullable.has(name)) {
      return `imagePullSecrets[${i}].name="${name}" is not allowed because service account ${accountName} does not reference that imagePullSecret`
    }
  }
  return undefined
}

function environmentFault(
  containers: readonly (Container | EphemeralContainer)[] | undefined,
  title: string,
  account: Stored<ServiceAccount>,
): string | undefined {
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name))
  const because = `is not allowed because service account ${account.metadata.name} does not reference that secret`
  for (const { name, env = [], envFrom = [] } of containers ?? []) {
    for (const variable of env) {
      const secret = variable.valueFrom?.secretKeyRef
      if (secret && !mountable.has(secret.name)) {
        return `${title} ${name} with envVar ${variable.name} referencing secret.secretName="${secret.name}" ${because}`
      }
    }
    for (const { secretRef } of envFrom) {
      if (secretRef && !mountable.has(secretRef.name)) {
        return `${title} ${name} with envFrom referencing secret.secretName="${secretRef.name}" ${because}`
      }
    }
  }
  return undefined
}
