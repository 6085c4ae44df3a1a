import { describe, expect, it } from 'vitest'
import { configVersion, containerdConfig } from './config.ts'

describe('the configuration of a private containerd', () => {
  it.each([
    ['containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3', 2],
    ['containerd containerd.io 1.7.27 05044ec0a9a75232cad458027ca83437aae3f4da', 2],
    ['containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b7193e4', 3],
    ['containerd github.com/containerd/containerd/v2 2.2.0 abc', 3],
  ] as const)('takes the generation that %s reads', (printed, version) => {
    expect(configVersion(printed)).toBe(version)
  })

  it('refuses to guess', () => {
    expect(() => configVersion('hello')).toThrow('cannot tell containerd\'s version from "hello"')
  })

  it.each([2, 3] as const)('keeps everything of generation %d under its own directory', (version) => {
    const text = containerdConfig({
      version,
      dataDir: '/data/one "two"',
      socket: '/data/c.sock',
      sandboxImage: 'localhost/pause:1',
      cniConfDir: '/data/net.d',
      cniBinDir: '/usr/lib/cni',
    })
    expect(text).toContain(`version = ${version}\n`)
    expect(text).toContain(String.raw`root = "/data/one \"two\"/root"`)
    expect(text).toContain('restrict_oom_score_adj = true')
    expect(text).toContain(version === 2 ? 'sandbox_image = "localhost/pause:1"' : 'sandbox = "localhost/pause:1"')
    expect(text).toContain(version === 2 ? 'bin_dir = "/usr/lib/cni"' : 'bin_dirs = ["/usr/lib/cni"]')
  })
})
