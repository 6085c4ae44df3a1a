import { expect, test } from 'vitest'
import { componentsOf } from './components.ts'
import { layoutOf } from './layout.ts'
import { parseUpFlags, type Settings, settle } from './settings.ts'

const freePort = async (wanted?: number) => wanted ?? 40_000
const fresh = { runtime: 'containerd', freePort } as const
const kept: Settings = {
  runtime: 'process',
  store: 'embedded',
  nodes: 2,
  port: 7443,
  schedulerPort: 1,
  controllerManagerPort: 2,
  etcdPorts: [0, 0],
}

test('a new cluster has the usual ports, one node, and the runtime that can be had', async () => {
  expect(await settle(parseUpFlags([]), undefined, fresh)).toEqual({
    runtime: 'containerd',
    store: 'embedded',
    nodes: 1,
    port: 6443,
    schedulerPort: 10_259,
    controllerManagerPort: 10_257,
    etcdPorts: [0, 0],
  })
})

test('a cluster on another port leaves the usual ones to others', async () => {
  const flags = parseUpFlags(['--port=0', '--store=etcd', '--runtime=hollow', '--nodes=3'])
  expect(await settle(flags, undefined, fresh)).toEqual({
    runtime: 'hollow',
    store: 'etcd',
    nodes: 3,
    port: 40_000,
    schedulerPort: 40_000,
    controllerManagerPort: 40_000,
    etcdPorts: [40_000, 40_000],
  })
})

test('a cluster that is there goes on as it was, with as many nodes as asked for', async () => {
  expect(await settle(parseUpFlags([]), kept, fresh)).toEqual(kept)
  expect(await settle(parseUpFlags(['--nodes=5', '--runtime=process']), kept, fresh)).toEqual({ ...kept, nodes: 5 })
  expect(await settle(parseUpFlags(['--port=0']), kept, fresh)).toEqual(kept)
})

test('further flags of components are kept, changed and taken back', async () => {
  const extra = (...words: string[]) => parseUpFlags(words.map((word) => `--extra-config=${word}`))
  const first = await settle(extra('apiserver.event-ttl=2h', 'controller-manager.v=4'), undefined, fresh)
  expect(first.extraConfig).toEqual({ apiserver: { 'event-ttl': '2h' }, 'controller-manager': { v: '4' } })
  const second = await settle(extra('apiserver.event-ttl=3h', 'controller-manager.v='), first, fresh)
  expect(second.extraConfig).toEqual({ apiserver: { 'event-ttl': '3h' } })
  const flags = componentsOf({
    layout: layoutOf('/data'),
    settings: second,
    nodes: [],
    cniBinDir: '/cni',
    etcdProgram: 'etcd',
  }).map(({ command }) => command.at(-1))
  expect(flags[0]).toBe('--event-ttl=3h')
  expect(await settle(extra('apiserver.event-ttl='), second, fresh)).not.toHaveProperty('extraConfig')
})

test.each([
  [['--store=etcd'], /keeps its objects in the embedded store; with --store etcd it needs a directory of its own/],
  [['--runtime=containerd'], /runs on process; with --runtime containerd it needs a directory of its own/],
])('a cluster that is there cannot become another: %s', async (args, message) => {
  await expect(settle(parseUpFlags(args), kept, fresh)).rejects.toThrow(message)
})

test.each([
  [['--nodes=0'], '--nodes: "0" is not a whole number from 1 to 250'],
  [['--nodes=many'], '--nodes: "many" is not a whole number from 1 to 250'],
  [['--port=70000'], '--port: "70000" is not a whole number from 0 to 65535'],
  [['--runtime=docker'], '--runtime: "docker" is none of containerd, process, hollow'],
  [['--extra-config=event-ttl=1h'], '--extra-config: "event-ttl=1h" is not of the form COMPONENT.FLAG=VALUE'],
  [
    ['--extra-config=etcd.v=1'],
    '--extra-config: "etcd" is none of apiserver, scheduler, controller-manager, node-agent',
  ],
  [['--store=mysql'], '--store: "mysql" is none of embedded, etcd'],
])('a flag that makes no sense is refused in words: %s', (args, message) => {
  expect(() => parseUpFlags(args)).toThrow(message)
})
