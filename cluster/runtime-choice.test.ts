import { expect, test } from 'vitest'
import { chooseRuntime, type Machine } from './runtime-choice.ts'

const whole: Machine = { platform: 'linux', root: true, has: () => true, cniBinDir: '/usr/lib/cni' }

test('containerd where it can be had', () => {
  expect(chooseRuntime(whole)).toEqual({ runtime: 'containerd' })
})

test.each<[string, Partial<Machine>, string]>([
  ['another system', { platform: 'darwin' }, 'containerd needs Linux'],
  ['a user without rights', { root: false }, 'containerd needs root'],
  ['a missing program', { has: (name: string) => name !== 'nft' }, 'not installed: nftables'],
  ['missing plugins', { cniBinDir: undefined }, 'not installed: containernetworking-plugins'],
])('processes else, and why: %s', (_, lacks, why) => {
  expect(chooseRuntime({ ...whole, ...lacks })).toEqual({ runtime: 'process', why })
})
