/** `gantry COMMAND …`: finds the command and loads nothing else. */
import { leadingFlags } from '../cli/leading-flags.ts'
import { runVerb } from '../cli/run-verb.ts'
import { verbs } from '../cli/verbs.ts'
import { exitWith } from './exit.ts'

interface Command {
  summary: string
  run: () => Promise<(args: readonly string[]) => Promise<number>>
}

const commands: Record<string, Command> = {
  up: { summary: 'start a cluster on this machine', run: async () => (await import('./up.ts')).up },
  down: { summary: 'end it; what was made is kept', run: async () => (await import('./down.ts')).down },
  status: { summary: 'show a cluster in one screen', run: async () => (await import('./status.ts')).status },
  apiserver: {
    summary: 'serve the Kubernetes API',
    run: async () => (await import('../apiserver/main.ts')).runApiServer,
  },
  'node-agent': {
    summary: 'run the pods of a node',
    run: async () => (await import('../node-agent/main.ts')).runNodeAgent,
  },
  scheduler: {
    summary: 'give pods their nodes',
    run: async () => (await import('../scheduler/main.ts')).runScheduler,
  },
  'controller-manager': {
    summary: 'run the controllers',
    run: async () => (await import('../controller-manager/main.ts')).runControllerManager,
  },
  balancer: {
    summary: 'put several API servers behind one address',
    run: async () => (await import('./balancer.ts')).balancer,
  },
  image: {
    summary: 'load, save, list, remove and build images, without a registry',
    run: async () => (await import('./image/main.ts')).image,
  },
  system: {
    summary: "make what a cluster needs that 'gantry up' has not started",
    run: async () => (await import('./greet.ts')).system,
  },
  plan: {
    summary: 'say where the pods of a manifest would go, without making any',
    run: async () => (await import('./plan/plan.ts')).plan,
  },
  why: {
    summary: 'say why a pod is on its node, or on none, and what would help',
    run: async () => (await import('./plan/why.ts')).why,
  },
  rebalance: {
    summary: 'show, or move, pods that would relieve hot nodes and mend spread',
    run: async () => (await import('./rebalance/rebalance.ts')).rebalance,
  },
  snapshot: {
    summary: "save or restore the store's contents",
    run: async () => (await import('./snapshot.ts')).snapshot,
  },
  ...Object.fromEntries(
    Object.entries(verbs).map(([name, { summary }]) => [
      name,
      { summary, run: async () => (args: readonly string[]) => runVerb(name, args) },
    ]),
  ),
}

/** What commands call of each other, and nobody else. */
const helpers: Record<string, Command['run']> = {
  credentials: async () => (await import('./credentials.ts')).credentials,
  'end-containers': async () => (await import('./end-containers.ts')).endContainersCommand,
  greet: async () => (await import('./greet.ts')).greet,
  nodes: async () => (await import('./nodes-command.ts')).prepareNodes,
}

async function main(words: readonly string[]): Promise<number> {
  const { flags, rest } = leadingFlags(words)
  const [name = 'help', ...args] = rest
  const run = commands[name]?.run ?? helpers[name]
  if (run) return (await run())([...flags, ...args])
  const asked = ['help', '--help', '-h'].includes(name)
  const plugin = asked ? undefined : (await import('../cli/plugin/find.ts')).findPlugin(rest, process.env)
  if (plugin) {
    const { runPlugin } = await import('../cli/plugin/run.ts')
    return runPlugin(plugin.path, plugin.args, process.env)
  }
  const { commandList, noSuchCommand } = await import('./help.ts')
  if (!asked) {
    process.stderr.write(noSuchCommand(name, Object.keys(commands)))
    return 1
  }
  process.stdout.write(
    `Usage: gantry COMMAND [flags]\n\n${commandList(commands)}\ngantry COMMAND --help tells more of one, gantry options of the flags that all have.\n`,
  )
  return 0
}

// Whoever reads (`gantry status | head`) may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
exitWith(main(process.argv.slice(2)))
