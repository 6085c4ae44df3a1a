import { describe, expect, test } from 'vitest'
import { AdmissionChain } from './chain.ts'
import { createAdmissionPlugins } from './plugins.ts'
import { contextOf, pod, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('the chain', () => {
  test('runs those that handle a request, in order, and stops at the first refusal', async () => {
    const seen: string[] = []
    const plugin = (name: string, handles: boolean, fails = false) => ({
      name,
      handles: () => handles,
      admit: () => void seen.push(`admit ${name}`),
      validate: async () => {
        seen.push(`validate ${name}`)
        if (fails) throw new Error(name)
      },
    })
    const chain = new AdmissionChain([
      plugin('a', true),
      plugin('b', false),
      plugin('c', true, true),
      plugin('d', true),
    ])
    await expect(chain.run(requestIn(world, 'CREATE /pods', pod()))).rejects.toThrow('c')
    expect(seen).toEqual(['admit a', 'admit c', 'admit d', 'validate a', 'validate c'])
  })

  test('a plugin can be switched on and off by name', () => {
    const names = createAdmissionPlugins(contextOf(world), {
      enable: ['ExtendedResourceToleration'],
      disable: ['PodSecurity'],
    }).map(({ name }) => name)
    expect(names).toContain('ExtendedResourceToleration')
    expect(names).not.toContain('PodSecurity')
    expect(names[0]).toBe('NamespaceLifecycle')
    expect(() => createAdmissionPlugins(contextOf(world), { enable: ['Magic'] })).toThrow('"Magic"')
  })
})
