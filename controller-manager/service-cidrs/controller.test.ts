import { afterEach, expect, test } from 'vitest'
import type { IPAddress, ServiceCIDR } from '../../api/generated/types.ts'
import { ipAddresses, serviceCIDRs } from '../../client/resources.ts'
import { type Running, run } from '../testing/run.ts'
import { newServiceCidrsController } from './controller.ts'
import { isIn } from './plan.ts'

let running: Running
afterEach(() => running?.stop())

const range = (name: string, ...cidrs: string[]) =>
  running.api.create<ServiceCIDR>(serviceCIDRs, { metadata: { name }, spec: { cidrs }, status: {} })
const address = (name: string) =>
  running.api.create<IPAddress>(ipAddresses, {
    metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
    spec: { parentRef: { resource: 'services', name: 'web' } },
  })
const standing = (name: string) =>
  running.api.objects<ServiceCIDR>(serviceCIDRs).find(({ metadata }) => metadata.name === name)
const ready = (name: string) => standing(name)?.status?.conditions?.find(({ type }) => type === 'Ready')

test('a range is protected, ready, and goes after ten seconds when nobody uses it', async () => {
  running = await run(newServiceCidrsController)
  await range('new', '10.1.0.0/16')
  await running.clock.advance(100)
  expect(standing('new')?.metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer'])
  expect(ready('new')).toMatchObject({ status: 'True', message: 'Kubernetes Service CIDR is ready' })
  await running.api.delete(serviceCIDRs, { name: 'new' })
  await running.clock.advance(9000)
  expect(standing('new')).toBeDefined()
  await running.clock.advance(1500)
  expect(standing('new')).toBeUndefined()
})

test('a range with an address that is in no other stays until that has gone', async () => {
  running = await run(newServiceCidrsController)
  await range('new', '10.1.0.0/16')
  await address('10.1.2.3')
  await running.clock.advance(100)
  await running.api.delete(serviceCIDRs, { name: 'new' })
  await running.clock.advance(60_000)
  expect(ready('new')).toMatchObject({ status: 'False', reason: 'Terminating' })
  await running.api.delete(ipAddresses, { name: '10.1.2.3' })
  await running.clock.advance(100)
  expect(standing('new')).toBeUndefined()
})

test('a range whose addresses lie in another as well may go', async () => {
  running = await run(newServiceCidrsController)
  await range('old', '10.0.0.0/8')
  await range('new', '10.1.0.0/16')
  await address('10.1.2.3')
  await running.clock.advance(100)
  await running.api.delete(serviceCIDRs, { name: 'new' })
  await running.clock.advance(11_000)
  expect(standing('new')).toBeUndefined()
})

test('an address lies in a range of its own family', () => {
  expect(isIn('10.1.0.0/16', '10.1.255.255')).toBe(true)
  expect(isIn('10.1.0.0/16', '10.2.0.0')).toBe(false)
  expect(isIn('fd00::/108', 'fd00::1')).toBe(true)
  expect(isIn('fd00::/108', '10.1.0.1')).toBe(false)
})
