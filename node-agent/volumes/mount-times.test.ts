import { expect, it } from 'vitest'
import { MountTimes } from './mount-times.ts'

it('what mounting took is counted by the kind of volume, what failed apart', () => {
  const times = new MountTimes()
  expect(times.text()).toBe('')
  for (const ms of [4, 20, 700]) times.observe('kubernetes.io~secret', true, ms)
  times.observe('kubernetes.io~secret', false, 20)
  const lines = times.text().split('\n')
  const of = (status: string, rest: string) =>
    lines.find((line) => line.includes(`status="${status}"`) && line.includes(rest))?.split(' ')[1]
  expect(['0.005', '0.025', '0.5', '1', '+Inf'].map((le) => of('success', `le="${le}"`))).toEqual([
    '1',
    '2',
    '2',
    '3',
    '3',
  ])
  expect(lines[2]).toContain('volume_plugin="kubernetes.io/secret"')
  expect([of('success', '_count'), of('fail-unknown', '_count')]).toEqual(['3', '1'])
  expect(Number(of('success', '_sum'))).toBeCloseTo(0.724)
})
