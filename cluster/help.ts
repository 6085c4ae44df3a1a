import { nearest } from '../cli/nearest.ts'
import { wellKnownKinds } from '../cli/well-known.ts'

/** All commands, in the order in which somebody new comes to need them. */
const groups: readonly (readonly [title: string, words: readonly string[]])[] = [
  ['A cluster on this machine', ['up', 'down', 'status', 'dashboard', 'image', 'volume', 'snapshot', 'compose']],
  [
    'Objects',
    [
      ...['get', 'describe', 'create', 'apply', 'diff', 'edit', 'patch', 'replace', 'delete'],
      ...['label', 'annotate', 'wait', 'explain', 'kustomize'],
    ],
  ],
  ['Workloads', ['run', 'expose', 'scale', 'autoscale', 'set', 'rollout']],
  [
    'What goes on',
    ['watch', 'events', 'logs', 'top', 'tree', 'exec', 'attach', 'debug', 'cp', 'port-forward', 'proxy'],
  ],
  ['Why it is so, and how it was', ['why', 'plan', 'history', 'undo', 'record', 'replay']],
  ['Nodes', ['cordon', 'uncordon', 'drain', 'taint', 'rebalance']],
  [
    'Access and settings',
    [
      ...['auth', 'certificate', 'config', 'cluster-info', 'api-resources', 'api-versions', 'version'],
      ...['completion', 'plugin', 'options'],
    ],
  ],
  ['Components, each by itself', ['apiserver', 'scheduler', 'controller-manager', 'node-agent', 'balancer', 'system']],
]

/** What `gantry` alone says: every command with what it does. Those that no group has come last, so that none is missed. */
export function commandList(commands: Readonly<Record<string, { summary: string }>>): string {
  const named = new Set(groups.flatMap(([, words]) => words))
  const others = Object.keys(commands).filter((word) => !named.has(word) && !word.startsWith('_'))
  const width = Math.max(...Object.keys(commands).map((word) => word.length))
  const shown = [...groups, ...(others.length > 0 ? [['Others', others] as const] : [])]
  return shown
    .map(([title, words]) => {
      const lines = words.flatMap((word) => {
        const command = commands[word]
        return command ? [`  ${word.padEnd(width)}  ${command.summary}`] : []
      })
      return `${title}:\n${lines.join('\n')}\n`
    })
    .join('\n')
}

/** What is said of a word that is no command: which was meant, and where all are told. A kind is most likely to be shown. */
export function noSuchCommand(word: string, commands: readonly string[]): string {
  const isKind = wellKnownKinds.some(({ plural, singular, shortNames }) =>
    [plural, singular, ...shortNames].includes(word.toLowerCase()),
  )
  const meant = isKind ? `get ${word}` : nearest(word, commands)
  return `gantry: there is no command ${JSON.stringify(word)}${meant ? `. Did you mean \`gantry ${meant}\`?` : ''}\n\`gantry help\` lists all.\n`
}
