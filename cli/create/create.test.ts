import { afterEach, beforeEach, expect, test } from 'vitest'
import { StatusError } from '../../api/machinery/errors.ts'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving
const document = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {color: blue}\n`
const created = (editor: string, ...more: string[]) =>
  server.gantry(['create', '--edit', '-f', server.file('a.yaml', `${document('a')}---\n${document('b')}`), ...more], {
    env: { KUBE_EDITOR: editor },
  })
const colors = () => [...server.objects.values()].map(({ data }) => (data as { color: string }).color)

beforeEach(async () => {
  server = await serve()
})
afterEach(() => server.stop())

test('each object is made as it is after it was edited', async () => {
  const { code, out } = await created('sed -i s/blue/green/')
  expect([code, out, colors()]).toEqual([0, 'configmap/a created\nconfigmap/b created\n', ['green', 'green']])
})

test('what is left as it was is not made', async () => {
  expect(await created('true')).toEqual({
    code: 0,
    out: '',
    err: 'Edit cancelled, no changes made.\n'.repeat(2),
  })
  expect(server.objects.size).toBe(0)
})

test('what is refused is given back to the editor with the reason', async () => {
  const refusal = new StatusError(422, 'Invalid', 'no such color')
  server.answers.set('/api/v1/namespaces/default/configmaps', ({ body }) => {
    if ((body as { data: { color: string } }).data.color === 'red') throw refusal
    return JSON.stringify(body)
  })
  const { code, out } = await created('sed -i "/no such color/,$ s/red/green/; s/blue/red/"')
  expect([code, out]).toEqual([0, 'configmap/a created\nconfigmap/b created\n'])
})

test('--save-config remembers what was edited', async () => {
  await created('sed -i s/blue/green/', '--save-config')
  const [first] = server.objects.values()
  const text = first?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']
  expect(JSON.parse(text ?? '').data).toEqual({ color: 'green' })
})

test('what files say nothing of is shown in the namespace that is worked in', async () => {
  const words = ['create', '-f', server.file('b.yaml', document('b')), '--dry-run=client', '-o', 'yaml']
  expect((await server.gantry(words)).out).toContain('\n  name: b\n  namespace: default\n')
  expect((await server.gantry([...words, '-n', 'shop'])).out).toContain('\n  namespace: shop\n')
})

test('the user of a binding is not the one who asks', async () => {
  expect((await server.gantry('create clusterrolebinding x --clusterrole=r --user=jane')).out).toBe(
    'clusterrolebinding.rbac.authorization.k8s.io/x created\n',
  )
})
