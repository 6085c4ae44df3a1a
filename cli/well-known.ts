import { Kinds, type ServedKind } from './kinds.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** Group/version, kind, plural, singular, and the short name; `*`: it is in no namespace. */
const rows = `
v1 ConfigMap configmaps configmap cm
v1 Endpoints endpoints endpoints ep
v1 Event events event ev
v1 Namespace* namespaces namespace ns
v1 Node* nodes node no
v1 PersistentVolume* persistentvolumes persistentvolume pv
v1 PersistentVolumeClaim persistentvolumeclaims persistentvolumeclaim pvc
v1 Pod pods pod po
v1 Secret secrets secret
v1 Service services service svc
v1 ServiceAccount serviceaccounts serviceaccount sa
apps/v1 DaemonSet daemonsets daemonset ds
apps/v1 Deployment deployments deployment deploy
apps/v1 ReplicaSet replicasets replicaset rs
apps/v1 StatefulSet statefulsets statefulset sts
batch/v1 CronJob cronjobs cronjob cj
batch/v1 Job jobs job
networking.k8s.io/v1 Ingress ingresses ingress ing
`

/** Kinds that every server has served for years under these names: nobody need ask it. */
export const wellKnownKinds: readonly ServedKind[] = rows
  .trim()
  .split('\n')
  .map((row) => {
    const [apiVersion = '', kind = '', plural = '', singular = '', ...shortNames] = row.split(' ')
    const [version = '', group = ''] = apiVersion.split('/').reverse()
    return {
      group,
      version,
      kind: kind.replace('*', ''),
      plural,
      singular,
      namespaced: !kind.endsWith('*'),
      shortNames,
      categories: [],
      verbs,
      subresources: [],
    }
  })

/** The kinds that words such as `pods,svc` or `deploy/web` name, if they are all of these: else undefined. */
export function wellKnown(words: readonly string[]): Kinds | undefined {
  const [first = ''] = words
  const isPair = words.some((word) => word.includes('/'))
  const asked = isPair ? words.map((word) => word.split('/')[0] ?? '') : first.split(',')
  const names = new Set(wellKnownKinds.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames]))
  return asked.every((word) => names.has(word)) ? new Kinds(wellKnownKinds) : undefined
}
