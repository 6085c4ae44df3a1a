import { expect, test } from 'vitest'
import { generic, titleOf } from './generic.ts'

test.each([
  ['apiVersion', 'API Version'],
  ['creationTimestamp', 'Creation Timestamp'],
  ['uid', 'UID'],
  ['kind', 'Kind'],
  ['clusterIPs', 'Cluster I Ps'],
  ['v1beta1', 'v1beta1'],
  ['example.com/name', 'example.com/name'],
  ['PDFLoader', 'PDFLoader'],
])('the title of %s is %s', (name, title) => {
  expect(titleOf(name)).toBe(title)
})

test('any object is shown by its fields, each once', async () => {
  const object = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace: 'shop', labels: { a: 'b' }, uid: 'u', managedFields: [] },
    spec: { list: ['one', { two: 2 }], on: true, nothing: null },
  }
  expect(await generic.lines(object, {} as never)).toEqual([
    'Name:\tw',
    'Namespace:\tshop',
    'Labels:\ta=b',
    'Annotations:\t<none>',
    'API Version:\texample.com/v1',
    'Kind:\tWidget',
    'Metadata:',
    '  UID:\tu',
    'Spec:',
    '  List:',
    '    one',
    '    Two:\t2',
    '  Nothing:\t<nil>',
    '  On:\ttrue',
  ])
})
