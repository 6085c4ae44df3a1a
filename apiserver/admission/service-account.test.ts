import { describe, expect, test } from 'vitest'
import { container, only, pod, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('ServiceAccount', () => {
  const account = (more: object = {}, metadata: object = {}) =>
    world.client.put('', 'serviceaccounts', { metadata: { name: 'default', namespace: 'web', ...metadata }, ...more })

  test('gives a pod the default account, its token and its pull secrets', async () => {
    account({ imagePullSecrets: [{ name: 'registry' }] })
    const object = pod({ initContainers: [container({ name: 'i' })] })
    await only(world, 'ServiceAccount').run(requestIn(world, 'CREATE /pods', object))
    const [volume] = object.spec.volumes as { name: string }[]
    expect(volume?.name).toMatch(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    const mount = { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }
    expect(object.spec).toMatchObject({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      imagePullSecrets: [{ name: 'registry' }],
      containers: [{ volumeMounts: [mount] }],
      initContainers: [{ volumeMounts: [mount] }],
      volumes: [
        {
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              {
                downwardAPI: {
                  items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
                },
              },
            ],
          },
        },
      ],
    })
  })

  test.each<[string, object, object, boolean]>([
    ['neither says', {}, {}, true],
    ['the account says no', { automountServiceAccountToken: false }, {}, false],
    ['the pod says yes over it', { automountServiceAccountToken: false }, { automountServiceAccountToken: true }, true],
    ['the pod says no', {}, { automountServiceAccountToken: false }, false],
    [
      'its place is taken',
      {},
      {
        containers: [
          container({ volumeMounts: [{ name: 'x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }),
        ],
      },
      false,
    ],
  ])('the token is mounted when %s', async (_, ofAccount, spec, mounted) => {
    account(ofAccount)
    const object = pod(spec)
    await only(world, 'ServiceAccount').run(requestIn(world, 'CREATE /pods', object))
    expect(object.spec.volumes !== undefined).toBe(mounted)
  })

  test('an account that is not there is a refusal, unless the cache was late', async () => {
    const object = pod({ serviceAccountName: 'app' })
    expect(await refusal(only(world, 'ServiceAccount'), requestIn(world, 'CREATE /pods', object))).toBe(
      '403 pods "p" is forbidden: error looking up service account web/app: serviceaccount "app" not found',
    )
    world.client.putAhead('', 'serviceaccounts', { metadata: { name: 'app', namespace: 'web' } })
    expect(await refusal(only(world, 'ServiceAccount'), requestIn(world, 'CREATE /pods', object))).toBeUndefined()
  })

  test('a mirror pod stays as it is and may use nothing', async () => {
    const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
    const object = pod({}, mirror)
    await only(world, 'ServiceAccount').run(requestIn(world, 'CREATE /pods', object))
    expect(object).toEqual(pod({}, mirror))
    expect(
      await refusal(
        only(world, 'ServiceAccount'),
        requestIn(world, 'CREATE /pods', pod({ serviceAccountName: 'a' }, mirror)),
      ),
    ).toMatch(/a mirror pod may not reference service accounts$/)
  })

  test('an account may limit its pods to its own secrets', async () => {
    account({ secrets: [{ name: 'ok' }] }, { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } })
    const object = (name: string) => pod({ volumes: [{ name: 'v', secret: { secretName: name } }] })
    expect(await refusal(only(world, 'ServiceAccount'), requestIn(world, 'CREATE /pods', object('ok')))).toBeUndefined()
    expect(await refusal(only(world, 'ServiceAccount'), requestIn(world, 'CREATE /pods', object('other')))).toMatch(
      /volume with secret.secretName="other" is not allowed because service account default does not reference that secret/,
    )
  })
})
