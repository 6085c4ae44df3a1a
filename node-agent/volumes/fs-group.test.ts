import { chmodSync, chownSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mayMount, VolumeRig } from '../testing/volumes.ts'
import { giveToGroup } from './fs-group.ts'

describe.runIf(mayMount)('a tree', () => {
  let rig: VolumeRig
  let tree: string
  let outside: string

  beforeEach(() => {
    rig = new VolumeRig()
    tree = join(rig.directory, 'tree')
    outside = join(rig.directory, 'outside')
    mkdirSync(join(tree, 'inner'), { recursive: true, mode: 0o755 })
    writeFileSync(join(tree, 'inner/file'), '', { mode: 0o644 })
    chownSync(join(tree, 'inner/file'), 1234, 1)
    writeFileSync(outside, '', { mode: 0o600 })
    symlinkSync(outside, join(tree, 'link'))
  })

  afterEach(() => rig.close())

  const modeOf = (path: string) => (statSync(join(tree, path)).mode & 0o7777).toString(8)

  it('is given to a group, whose members may do what the owner may', async () => {
    await giveToGroup(tree, 2000)
    expect([modeOf('.'), modeOf('inner'), modeOf('inner/file')]).toEqual(['2775', '2775', '664'])
    expect([statSync(tree).gid, statSync(join(tree, 'inner/file')).gid]).toEqual([2000, 2000])
    expect(statSync(join(tree, 'inner/file')).uid).toBe(1234)
  })

  it('keeps what its links lead to out of it', async () => {
    await giveToGroup(tree, 2000)
    expect(lstatSync(join(tree, 'link')).gid).toBe(2000)
    expect(statSync(outside).gid).toBe(0)
    expect((statSync(outside).mode & 0o777).toString(8)).toBe('600')
  })

  it('whose root belongs to the group already is looked at no further, where that is enough', async () => {
    chownSync(tree, 0, 2000)
    chmodSync(tree, 0o2770)
    await giveToGroup(tree, 2000, 'OnRootMismatch')
    expect(statSync(join(tree, 'inner/file')).gid).toBe(1)
    await giveToGroup(tree, 2000, 'Always')
    expect(statSync(join(tree, 'inner/file')).gid).toBe(2000)
  })

  it.each([
    ['belongs to another group', 3000, 0o2770],
    ['may not be written by the group', 2000, 0o2750],
    ['does not hand its group on', 2000, 0o770],
  ])('whose root %s is given as a whole', async (_, gid, mode) => {
    chownSync(tree, 0, gid)
    chmodSync(tree, mode)
    await giveToGroup(tree, 2000, 'OnRootMismatch')
    expect(statSync(join(tree, 'inner/file')).gid).toBe(2000)
  })
})
