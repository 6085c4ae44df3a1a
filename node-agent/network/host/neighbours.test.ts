import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NftTable } from '../proxy/nft.ts'
import { noNamespaces, type TestNamespace, testNamespace } from '../testing/namespace.ts'
import { type Owner, ownerChain, ownerHere, readOwner, settleNeighbours } from './neighbours.ts'

if (noNamespaces) console.warn(`skipped: tests of two clusters on one machine (${noNamespaces})`)

const ours = { table: 'gantry-000000', cidrs: ['10.244.0.0/16', '10.96.0.0/16'] }

test('an owner can be read back from its chain', () => {
  const owner: Owner = { pid: 7, startTicks: '123', cidrs: ['10.244.0.0/16', 'fd00:10::/56'] }
  expect(readOwner(ownerChain(owner))).toEqual(owner)
  expect(readOwner('cluster/ns/web/tcp/http')).toBeUndefined()
})

describe.skipIf(noNamespaces)('another cluster in the same namespace', () => {
  let machine: TestNamespace
  beforeAll(() => {
    machine = testNamespace()
  })
  afterAll(() => machine?.remove())

  const leave = async (table: string, owner: Owner | undefined) => {
    const serviceCidrs = ['10.96.0.0/16']
    const frame = { family: 'IPv4', table, bridge: table, clusterCidr: '10.244.0.0/16', serviceCidrs } as const
    await new NftTable({ ...frame, ...(owner ? { owner: ownerChain(owner) } : {}) }, machine.run, Date.now).apply()
    await machine.run('ip', ['link', 'add', 'name', table, 'type', 'bridge'])
    await machine.run('ip', ['addr', 'add', '10.244.0.1/24', 'dev', table])
  }

  test('that is gone loses its rules and its address, and keeps its bridge', async () => {
    const child = spawn('sleep', ['60'])
    const dead = { pid: child.pid as number, startTicks: '1', cidrs: ['10.244.0.0/16'] }
    await leave('gantry-aaaaaa', dead)
    await leave('gantry-bbbbbb', undefined)
    child.kill()
    expect((await settleNeighbours(ours, machine.run)).removed.sort()).toEqual(['gantry-aaaaaa', 'gantry-bbbbbb'])
    expect(await machine.run('nft', ['list', 'tables'])).not.toContain('gantry')
    expect(await machine.run('ip', ['-brief', 'addr', 'show', 'gantry-aaaaaa'])).not.toContain('10.244')
  })

  test('that runs is left alone and told of', async () => {
    const owner = await ownerHere(['10.244.128.0/17'])
    await leave('gantry-cccccc', owner)
    expect(await settleNeighbours(ours, machine.run)).toEqual({
      removed: [],
      running: [{ table: 'gantry-cccccc', owner }],
    })
  })

  test('with addresses of its own is no matter', async () => {
    await machine.run('nft', ['flush', 'ruleset'])
    await leave('gantry-dddddd', { pid: 1, startTicks: '1', cidrs: ['10.245.0.0/16', '10.97.0.0/16'] })
    expect(await settleNeighbours(ours, machine.run)).toEqual({ removed: [], running: [] })
  })
})
