import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { type Run, runBehind } from '../command.ts'

/** A network namespace of a test's own. */
export interface TestNamespace {
  name: string
  enter: string[]
  /** Runs a program inside. */
  run: Run
  /** Adds a namespace that stands for a pod: a link to `bridge` here, with this address and a default route. */
  addPod(address: string, gateway: string, bridge: string): TestNamespace
  remove(): void
}

/** Why tests of the kernel's network cannot run here; undefined when they can. */
export const noNamespaces: string | undefined = probe()

/** Makes an empty namespace with its loopback up. */
export function testNamespace(): TestNamespace {
  const name = `gt-${randomBytes(4).toString('hex')}`
  ip('netns', 'add', name)
  const children: TestNamespace[] = []
  const enter = ['nsenter', `--net=/run/netns/${name}`]
  ip('-n', name, 'link', 'set', 'lo', 'up')
  return {
    name,
    enter,
    run: runBehind(enter),
    addPod(address, gateway, bridge) {
      const pod = testNamespace()
      children.push(pod)
      const port = `v${randomBytes(4).toString('hex')}`
      ip('-n', name, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
      ip('-n', name, 'link', 'set', port, 'master', bridge, 'up')
      ip('-n', name, 'link', 'set', 'dev', port, 'type', 'bridge_slave', 'hairpin', 'on')
      ip('-n', pod.name, 'addr', 'add', address, 'dev', 'eth0')
      ip('-n', pod.name, 'link', 'set', 'eth0', 'up')
      ip('-n', pod.name, 'route', 'add', 'default', 'via', gateway)
      return pod
    },
    remove() {
      for (const child of children) child.remove()
      ip('netns', 'del', name)
    },
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function probe(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  for (const [tool, flag] of [
    ['nft', '--version'],
    ['ip', '-V'],
    ['nsenter', '--version'],
    ['conntrack', '--version'],
  ] as const) {
    try {
      execFileSync(tool, [flag], { stdio: 'ignore' })
    } catch {
      return `${tool} is not installed`
    }
  }
  try {
    testNamespace().remove()
  } catch (error) {
    return `no network namespaces: ${error instanceof Error ? error.message : error}`
  }
  return undefined
}
