import { describe, expect, test } from 'vitest'
import type { Service } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { judge } from './analysis.ts'
import { atService, judgeResult } from './ask.ts'

describe('a step', () => {
  const step = (forMs: number) => ({
    hold: 1,
    forMs,
    withinMs: undefined,
    question: { ask: 'probe' as const, url: 'http://x' },
  })
  const yes = { yes: true, said: '' }
  const no = { yes: false, said: '' }
  const course = (yesSinceMs?: number) => ({ startedMs: 0, yesSinceMs })
  const verdict = (forMs: number, since: number | undefined, answer: typeof yes, nowMs: number) => {
    const found = judge(step(forMs), course(since), answer, 60_000, nowMs)
    return found.is === 'open' ? `${found.course.yesSinceMs} again in ${found.nextMs}` : found.is
  }

  test.each([
    ['passes with the first yes', 0, undefined, yes, 1000, 'passed'],
    ['must hear it for a while', 8000, undefined, yes, 1000, '1000 again in 5000'],
    ['asks again when that is over', 8000, 1000, yes, 6000, '1000 again in 3000'],
    ['passes then', 8000, 1000, yes, 9000, 'passed'],
    ['begins anew after a no', 8000, 1000, no, 6000, 'undefined again in 5000'],
    ['asks until the end of its time', 8000, undefined, no, 58_000, 'undefined again in 2000'],
    ['fails then', 8000, undefined, no, 60_000, 'failed'],
    ['lets a yes that began in time last', 8000, 55_000, yes, 61_000, '55000 again in 2000'],
  ])('%s', (_, forMs, since, answer, nowMs, wanted) => expect(verdict(forMs, since, answer, nowMs)).toBe(wanted))
})

describe('a result of a query', () => {
  const vector = (...values: string[]) => ({
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [0, value] })) },
  })
  test.each([
    [{ below: 0.01 }, vector('0.003'), true, 'is 0.003'],
    [{ below: 0.01 }, vector('0.003', '0.5'), false, 'is 0.5, not below 0.01'],
    [{ above: 1, below: 2 }, vector('1'), false, 'is 1, not below 2 and above 1'],
    [{ above: 1 }, { data: { resultType: 'scalar', result: [0, '3'] } }, true, 'is 3'],
    [{ below: 1 }, vector('NaN'), false, 'is NaN, not below 1'],
    [{ below: 1 }, vector(), false, 'has no data'],
    [{ below: 1 }, { error: 'x' }, false, 'has no data'],
    [{ below: 1 }, null, false, 'has no data'],
  ])('%j of %j', (bounds, body, yes, said) => expect(judgeResult(bounds, body)).toEqual({ yes, said }))
})

test('a host that names a service is its cluster address', () => {
  const service = (clusterIP: string): Live<Service> => ({ metadata: { name: 'x' }, spec: { clusterIP } })
  const known = new Map([
    [' web', service('10.96.0.9')],
    ['other web', service('fd00::9')],
    [' headless', service('None')],
  ])
  const find = (namespace: string | undefined, name: string) => known.get(`${namespace ?? ''} ${name}`)
  const found = (url: string) => atService(new URL(url), find)?.href
  expect(found('http://web:8080/a?b=c')).toBe('http://10.96.0.9:8080/a?b=c')
  expect(found('http://web.other')).toBe('http://[fd00::9]/')
  expect(found('http://web.other.svc.cluster.local/')).toBe('http://[fd00::9]/')
  for (const url of ['http://headless/', 'http://nobody/', 'http://web.other.example/', 'http://10.0.0.1/']) {
    expect(found(url)).toBeUndefined()
  }
})
