import { expect, test } from 'vitest'
import type { ServedKind } from '../kinds.ts'
import type { NamedObject } from '../objects.ts'
import { treeLines } from '../tree.ts'
import { referencesOf } from './references.ts'

const of = (kind: string, group: string, spec: object, metadata: object = {}) =>
  referencesOf({
    kind: { kind, group } as ServedKind,
    object: { metadata: { name: 'x', namespace: 'a', ...metadata }, spec } as NamedObject,
  }).map(({ resource, name, optional }) => `${resource}/${name}${optional ? '?' : ''}`)

const template = (spec: object, annotations: object = {}) => ({ template: { metadata: { annotations }, spec } })

test.each([
  [
    'a deployment, what its pods read, each once',
    of(
      'Deployment',
      'apps',
      template(
        {
          serviceAccountName: 'runner',
          containers: [
            { envFrom: [{ configMapRef: { name: 'env', optional: true } }] },
            {
              env: [
                { valueFrom: { secretKeyRef: { name: 'key' } } },
                { valueFrom: { configMapKeyRef: { name: 'env' } } },
              ],
            },
          ],
          volumes: [{ persistentVolumeClaim: { claimName: 'data' } }, { emptyDir: {} }],
        },
        { 'gantry.dev/depends-on': 'service/db' },
      ),
    ),
    ['configmaps/env', 'secrets/key', 'persistentvolumeclaims/data', 'serviceaccounts/runner', 'service/db'],
  ],
  ['a pod, its node too', of('Pod', '', { nodeName: 'n1', serviceAccountName: 'default' }), ['nodes/n1']],
  [
    'a claim, its volume and class',
    of('PersistentVolumeClaim', '', { volumeName: 'pv', storageClassName: 'fast' }),
    ['persistentvolumes/pv', 'storageclasses.storage.k8s.io/fast'],
  ],
  [
    'an autoscaler, its target',
    of('HorizontalPodAutoscaler', 'autoscaling', {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    }),
    ['deployment.apps/web'],
  ],
  [
    'an ingress, its services and secrets',
    of('Ingress', 'networking.k8s.io', {
      tls: [{ secretName: 'cert' }],
      rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }],
    }),
    ['secrets/cert', 'services/web'],
  ],
  [
    'a job of a cron job',
    of('CronJob', 'batch', { jobTemplate: { spec: template({ priorityClassName: 'low' }) } }),
    ['priorityclasses.scheduling.k8s.io/low'],
  ],
])('%s needs what it names', (_name, found, wanted) => {
  expect(found).toEqual(wanted)
})

test('a tree is drawn with its health beside it', () => {
  const leaf = (name: string, text = '') => ({ name, health: { state: 'well' as const, text }, children: [] })
  const root = {
    ...leaf('a', '1/1'),
    children: [{ ...leaf('owns'), children: [leaf('b', 'ok'), leaf('c')] }, leaf('needs')],
  }
  expect(treeLines(root, ({ text }) => text)).toEqual(['a\t1/1', '├─ owns\t', '│  ├─ b\tok', '│  └─ c\t', '└─ needs\t'])
})
