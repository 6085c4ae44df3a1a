import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testDirectory } from '../csi/testing/drivers.ts'
import { lookUpCdi, resolvesCdi } from './cdi.ts'

let directory: ReturnType<typeof testDirectory>
beforeEach(() => {
  directory = testDirectory('cdi')
})
afterEach(() => directory.remove())

const write = (where: string, name: string, text: string): string => {
  const path = join(directory.path, where)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, name), text)
  return path
}
const spec = (model: string) => `
cdiVersion: 0.6.0
kind: example.com/gpu
containerEdits:
  env: [ALL=1]
devices:
- name: a
  containerEdits:
    env: [MODEL=${model}, A=b=c]
    deviceNodes: [{path: /dev/gpu0, hostPath: /dev/null}, {path: /dev/zero, permissions: r}]
    mounts: [{hostPath: /lib/gpu, containerPath: /usr/lib/gpu, options: [ro, bind]}]
- name: b
  containerEdits: {env: [B=1]}
- name: c
  containerEdits: {hooks: [{hookName: prestart, path: /bin/true}]}
`

it('devices are found in the files of their drivers, the later over the earlier', async () => {
  write('run', 'README', '{ of another kind')
  write('run', 'other.yaml', spec('of another kind').replace('example.com/gpu', 'example.com/other'))
  const from = [write('etc', 'gpu.yaml', spec('old')), write('run', 'gpu.yaml', spec('new'))]
  expect(await lookUpCdi(['example.com/gpu=a', 'example.com/gpu=b'], from)).toEqual({
    envs: [
      { key: 'ALL', value: '1' },
      { key: 'MODEL', value: 'new' },
      { key: 'A', value: 'b=c' },
      { key: 'B', value: '1' },
    ],
    devices: [
      { containerPath: '/dev/gpu0', hostPath: '/dev/null', permissions: 'rwm' },
      { containerPath: '/dev/zero', hostPath: '/dev/zero', permissions: 'r' },
    ],
    mounts: [{ hostPath: '/lib/gpu', containerPath: '/usr/lib/gpu', readonly: true }],
  })
})

it('a device that is not described, or that needs more than is known here, is refused', async () => {
  const from = [join(directory.path, 'not-there'), write('run', 'gpu.yaml', spec('new'))]
  await expect(lookUpCdi(['example.com/gpu=x'], from)).rejects.toThrow('unresolvable CDI devices example.com/gpu=x')
  await expect(lookUpCdi(['example.com/gpu=c'], from)).rejects.toThrow('containerd 1.7 or later is needed')
})

it.each([
  ['containerd', '1.6.20~ds1', false],
  ['containerd', '0.9.1', false],
  ['containerd', 'v1.7.0', true],
  ['containerd', '2.1.9', true],
  ['process', '2.0.0', false],
])('%s %s looks devices up itself: %s', (name, version, expected) => {
  expect(resolvesCdi({ name, version })).toBe(expected)
})
