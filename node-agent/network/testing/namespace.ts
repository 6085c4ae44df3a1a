import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { type Run, runBehind } from '../command.ts'

/** A network namespace that a test works in. */
export interface TestNamespace {
  enter: string[]
  /** Runs a program inside. */
  run: Run
  /** Adds a namespace that stands for a pod: a link to `bridge` here, with this address and a default route. */
  addPod(address: string, gateway: string, bridge: string): TestNamespace
  /** Takes away the pods, and the namespace itself where the test made it. */
  remove(): void
}

/** Why tests of the kernel's network cannot run here; undefined when they can. */
export const noNamespaces: string | undefined = probe()

/** Makes an empty namespace with its loopback up. */
export function testNamespace(): TestNamespace & { name: string } {
  const name = `gt-${randomBytes(4).toString('hex')}`
  execute('ip', 'netns', 'add', name)
  execute('ip', '-n', name, 'link', 'set', 'lo', 'up')
  const made = namespaceBehind(['nsenter', `--net=/run/netns/${name}`])
  return {
    ...made,
    name,
    remove() {
      made.remove()
      execute('ip', 'netns', 'del', name)
    },
  }
}

/** One that is there already. */
export function namespaceBehind(enter: string[]): TestNamespace {
  const pods: TestNamespace[] = []
  const ip = (...args: string[]) => execute(...enter, 'ip', ...args)
  return {
    enter,
    run: runBehind(enter),
    addPod(address, gateway, bridge) {
      const pod = testNamespace()
      pods.push(pod)
      const port = `v${randomBytes(4).toString('hex')}`
      ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
      ip('link', 'set', port, 'master', bridge, 'up')
      ip('link', 'set', 'dev', port, 'type', 'bridge_slave', 'hairpin', 'on')
      execute('ip', '-n', pod.name, 'addr', 'add', address, 'dev', 'eth0')
      execute('ip', '-n', pod.name, 'link', 'set', 'eth0', 'up')
      execute('ip', '-n', pod.name, 'route', 'add', 'default', 'via', gateway)
      return pod
    },
    remove() {
      for (const pod of pods) pod.remove()
    },
  }
}

function execute(...[command = '', ...args]: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
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
