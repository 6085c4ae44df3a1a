import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CsiDrivers } from './drivers.ts'
import { relayCsi } from './relay.ts'
import { testDirectory } from './testing/drivers.ts'
import { TestDriver } from './testing/test-driver.ts'

let directory: ReturnType<typeof testDirectory>
let driver: TestDriver
let drivers: CsiDrivers
let server: Server
const expanded = vi.fn()

beforeEach(async () => {
  directory = testDirectory('relay')
  driver = await TestDriver.start({ directory: directory.path })
  drivers = new CsiDrivers()
  const info = { nodeId: 'n1', maxVolumesPerNode: '0', accessibleTopology: null }
  drivers.add({ name: driver.name, socket: driver.socket, info })
  expanded.mockReset()
  server = createServer((req, res) => {
    const url = new URL(req.url ?? '', 'http://node')
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    const parts = url.pathname.split('/').slice(2)
    void relayCsi({ drivers, expanded }, { req, res, parts, query: url.searchParams, signal: gone.signal })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  drivers.stop()
  driver.stop()
  await directory.remove()
})

async function ask(
  path: string,
  body: object = {},
  { signal, method = 'POST' }: { signal?: AbortSignal; method?: string } = {},
) {
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/csi/${path}`, {
    method,
    ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
  })
  return { code: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

it('passes a message on and its answer back, both in JSON', async () => {
  const request = { name: 'pvc-1', capacityRange: { requiredBytes: '5' }, parameters: { type: 'fast' } }
  expect(await ask(`${driver.name}/CreateVolume`, request)).toEqual({
    code: 200,
    body: { volume: expect.objectContaining({ volumeId: 'pvc-1', capacityBytes: '1' }) },
  })
  expect(driver.last('CreateVolume')).toMatchObject(request)
})

it('answers a refusal with a status that carries the code of gRPC', async () => {
  driver.faults.set('CreateVolume', { code: 'RESOURCE_EXHAUSTED', why: 'the pool is full' })
  expect(await ask(`${driver.name}/CreateVolume`, { name: 'a' })).toMatchObject({
    code: 502,
    body: {
      kind: 'Status',
      status: 'Failure',
      details: { causes: [{ reason: 'RESOURCE_EXHAUSTED', message: 'the pool is full' }] },
    },
  })
})

it('says so when a driver does not answer in time', async () => {
  driver.faults.set('CreateVolume', 'hang')
  expect(await ask(`${driver.name}/CreateVolume?timeoutSeconds=0.2`)).toMatchObject({
    code: 504,
    body: { details: { causes: [{ reason: 'DEADLINE_EXCEEDED' }] } },
  })
})

it('gives up when nobody waits for the answer any more', async () => {
  driver.faults.set('CreateVolume', 'hang')
  const gone = new AbortController()
  const asking = ask(`${driver.name}/CreateVolume`, {}, { signal: gone.signal })
  await vi.waitFor(() => expect(driver.count('CreateVolume')).toBe(1))
  gone.abort()
  await expect(asking).rejects.toThrow()
})

it('relays what controllers need, and nothing that would reach into pods', async () => {
  expect(await ask(`${driver.name}/NodePublishVolume`)).toMatchObject({ code: 404 })
  expect(await ask(`none.example/CreateVolume`)).toMatchObject({ code: 404, body: { reason: 'NotFound' } })
  expect(await ask(`${driver.name}/CreateVolume`, {}, { method: 'GET' })).toMatchObject({ code: 405 })
  expect(await ask(`${driver.name}/ListVolumes`)).toMatchObject({
    code: 502,
    body: { details: { causes: [{ reason: 'UNIMPLEMENTED' }] } },
  })
})
