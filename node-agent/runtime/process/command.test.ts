import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ContainerConfig } from '../cri.ts'
import { hostCommand } from './command.ts'

describe('the command of a container on the machine', () => {
  let root: string
  const put = (name: string, mode = 0o644) => {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), '')
    chmodSync(join(root, name), mode)
  }
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'gantry-command-'))
    put('usr/bin/tool', 0o755)
    put('app/server.js')
    put('app/run.sh', 0o755)
    put('app/plain')
    mkdirSync(join(root, 'etc'))
    symlinkSync(tmpdir(), join(root, 'etc/config'))
  })
  afterAll(() => rmSync(root, { recursive: true }))
  const of = (config: Partial<ContainerConfig>, image: object = {}, podIp = '127.244.0.2') =>
    hostCommand(
      {
        root,
        podIp,
        image,
        config: {
          command: [],
          args: [],
          workingDir: '',
          envs: [],
          mounts: [{ containerPath: '/etc/config' }],
          ...config,
        } as never,
      },
      undefined,
    )

  it.each([
    [
      'its own, and its arguments',
      { command: ['sh'], args: ['-c', 'x'] },
      { Entrypoint: ['e'], Cmd: ['c'] },
      '/sh',
      ['-c', 'x'],
    ],
    ["the image's", {}, { Entrypoint: ['sh'], Cmd: ['-c'] }, '/sh', ['-c']],
    ["the image's with arguments of its own", { args: ['mine'] }, { Entrypoint: ['sh'], Cmd: ['-c'] }, '/sh', ['mine']],
    ["its own without the image's arguments", { command: ['sh'] }, { Cmd: ['-c'] }, '/sh', []],
  ])('is %s', (_what, config, image, file, args) => {
    const command = of(config, image)
    expect(command.file.endsWith(file)).toBe(true)
    expect(command.args).toEqual(args)
  })

  it("prefers the image's programs to the machine's", () => {
    expect(of({ command: ['tool'] }).file).toBe(join(root, 'usr/bin/tool'))
    expect(of({ command: ['/app/run.sh'] }).file).toBe(join(root, 'app/run.sh'))
    expect(of({ command: ['./run.sh'], workingDir: '/app' }).file).toBe(join(root, 'app/run.sh'))
  })

  it('finds a node where there is none on the path', () => {
    expect(of({ command: ['node'], envs: [{ key: 'PATH', value: '/nowhere' }] }).file).toMatch(/\/node$/)
  })

  it('rewrites paths that are in the image or mounted, and no others', () => {
    const args = [
      '/app/server.js',
      '/not/there',
      '/etc/config/a',
      '--file=/etc/config/b',
      '/etc/configuration',
      'cat /etc/config/c; ls /app',
    ]
    expect(of({ command: ['sh'], args }).args).toEqual([
      join(root, 'app/server.js'),
      '/not/there',
      join(root, 'etc/config/a'),
      `--file=${join(root, 'etc/config/b')}`,
      '/etc/configuration',
      `cat ${join(root, 'etc/config/c')}; ls /app`,
    ])
  })

  it('has the environment of image and container, and the address of its pod', () => {
    const { env } = of(
      {
        command: ['sh'],
        envs: [
          { key: 'A', value: '2' },
          { key: 'FILE', value: '/etc/config/x' },
        ],
      },
      { Env: ['A=1', 'B=b=c'] },
    )
    expect(env).toMatchObject({ A: '2', B: 'b=c', POD_IP: '127.244.0.2', FILE: join(root, 'etc/config/x') })
  })

  it.each([
    [{ command: ['nope-nope'] }, 'exec: "nope-nope": executable file not found in $PATH'],
    [{ command: ['/nope'] }, 'exec: "/nope": no such file or directory'],
    [{ command: ['/app/plain'] }, 'exec: "/app/plain": permission denied'],
    [{}, 'no command specified'],
  ])('of %j cannot be', (config, message) => {
    expect(() => of(config)).toThrow(message)
  })
})
