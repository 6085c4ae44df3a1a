import { describe, expect, it } from 'vitest'
import { nodeAttributes } from './attributes.ts'
import { nodeAuthorizer } from './authorize.ts'

describe('what a request asks of a node', () => {
  it.each([
    ['GET', '/containerLogs/default/web/app', [['get', 'proxy']]],
    ['POST', '/exec/default/web/app', [['create', 'proxy']]],
    ['GET', '/stats/summary', [['get', 'stats']]],
    ['GET', '/metrics/resource', [['get', 'metrics']]],
    [
      'GET',
      '/pods',
      [
        ['get', 'pods'],
        ['get', 'proxy'],
      ],
    ],
    [
      'GET',
      '/healthz',
      [
        ['get', 'healthz'],
        ['get', 'proxy'],
      ],
    ],
    [
      'GET',
      '/configz',
      [
        ['get', 'configz'],
        ['get', 'proxy'],
      ],
    ],
  ])('%s %s', (method, path, expected) => {
    expect(nodeAttributes(method, path).map(({ verb, subresource }) => [verb, subresource])).toEqual(expected)
  })
})

describe('who may', () => {
  const asking = { verb: 'get', subresource: 'stats', path: '/stats/summary' }
  const set = (answer: boolean) => {
    const asked: object[] = []
    let now = 0
    const authorize = nodeAuthorizer(
      'n1',
      async (spec) => {
        asked.push(spec)
        return answer
      },
      () => now,
    )
    return {
      asked,
      authorize,
      pass: (ms: number) => {
        now += ms
      },
    }
  }

  it("needs no asking for the cluster's masters", async () => {
    const { asked, authorize } = set(false)
    expect(await authorize({ name: 'kube-apiserver-kubelet-client', groups: ['system:masters'] }, asking)).toBe(true)
    expect(asked).toEqual([])
  })

  it('is asked once in a while for others', async () => {
    const { asked, authorize, pass } = set(true)
    const user = { name: 'metrics', groups: ['system:authenticated'] }
    expect(await authorize(user, asking)).toBe(true)
    expect(await authorize(user, asking)).toBe(true)
    expect(asked).toEqual([
      {
        user: 'metrics',
        groups: ['system:authenticated'],
        resourceAttributes: {
          group: '',
          version: 'v1',
          resource: 'nodes',
          subresource: 'stats',
          verb: 'get',
          name: 'n1',
        },
      },
    ])
    pass(5 * 60_000)
    await authorize(user, asking)
    expect(asked).toHaveLength(2)
  })

  it('is asked again soon after a refusal', async () => {
    const { asked, authorize, pass } = set(false)
    const user = { name: 'eve', groups: [] }
    expect(await authorize(user, asking)).toBe(false)
    pass(30_000)
    expect(await authorize(user, asking)).toBe(false)
    expect(asked).toHaveLength(2)
  })
})
