import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Serving, serve } from '../testing/serving.ts'
import { withExec } from './credentials.ts'

describe('the program that gets credentials', () => {
  const program = { command: 'login', args: ['a'], env: [{ name: 'A', value: '1' }], provideClusterInfo: true }

  test('is there once it has a name', () => {
    expect(withExec(undefined, { execArg: ['a'] })).toBeUndefined()
    expect(withExec(undefined, { execCommand: 'login', execApiVersion: 'v1' })).toEqual({
      apiVersion: 'v1',
      args: null,
      command: 'login',
      env: null,
      provideClusterInfo: false,
    })
  })

  test('keeps what is not named, but another program has other arguments', () => {
    expect(withExec(program, { execInteractiveMode: 'Never' })).toEqual({ ...program, interactiveMode: 'Never' })
    expect(withExec(program, { execCommand: 'other' })).toEqual({ ...program, command: 'other', args: null })
    expect(withExec(program, { execCommand: 'other', execArg: ['b'] })).toMatchObject({ args: ['b'] })
  })

  test('has variables set and taken away', () => {
    const env = withExec(program, { execEnv: ['B=2=3', 'A-', 'C='] })?.env
    expect(env).toEqual([
      { name: 'B', value: '2=3' },
      { name: 'C', value: '' },
    ])
    expect(() => withExec(program, { execEnv: ['B'] })).toThrow('invalid exec-env format: B')
    expect(() => withExec(program, { execInteractiveMode: 'no' })).toThrow('invalid interactive mode type')
  })
})

describe('config', () => {
  let server: Serving
  beforeEach(async () => {
    server = await serve()
  })
  afterEach(() => server.stop())

  const view = async (...flags: string[]) => (await server.gantry(['config', 'view', '--raw', ...flags])).out

  test('set-credentials and set-cluster write the program and the proxy', async () => {
    await server.gantry('config set-credentials you --exec-command=login --exec-arg=a,b --exec-arg=c --exec-env=A=1')
    await server.gantry('config set-credentials you --exec-provide-cluster-info')
    await server.gantry('config set-cluster here --proxy-url=http://proxy:1')
    const out = await view()
    expect(out).toContain(`  user:
    exec:
      args:
      - a
      - b
      - c
      command: login
      env:
      - name: A
        value: "1"
      provideClusterInfo: true
`)
    expect(out).toContain(`    proxy-url: http://proxy:1\n    server: ${server.url}\n`)
    await server.gantry('config set-credentials none --exec-arg=a')
    expect(await view()).toContain('- name: none\n  user: {}\n')
  })

  test('view --merge=false is about one file that is named', async () => {
    const other = server.file('other', 'clusters: [{name: there, cluster: {server: https://there}}]')
    const both = `--kubeconfig=${other}:${server.kubeconfig}`
    expect(await view(both)).toContain('name: here')
    expect(await view(both, '--merge=false')).not.toContain('name: here')
    expect((await server.gantry('config view --merge=false')).err).toBe(
      'error: if merge==false a precise file must be specified\n',
    )
  })
})
