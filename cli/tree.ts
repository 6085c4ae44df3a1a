import pc from 'picocolors'
import { CliError } from './errors.ts'
import { alignTabs } from './print/tabs.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import { type Branch, collectTree } from './tree/collect.ts'
import type { Verb } from './verb.ts'
import { readSubjects } from './workloads.ts'

export const tree: Verb<object> = {
  usage: 'TYPE/NAME',
  examples: ['gantry tree deployment/web', 'gantry tree pvc/data'],
  async run(session, args) {
    if (args.length === 0 || parseTargets(args, await session.kinds()).type === 'all')
      throw new CliError('say of which object: gantry tree TYPE/NAME')
    for (const subject of await readSubjects(session, args)) {
      const lines = treeLines(await collectTree(session, subject), paintOf(session))
      session.io.out(`${alignTabs(lines.join('\n'), { padding: 3 }).replace(/ +$/gm, '')}\n`)
    }
    return 0
  },
}

type Paint = (health: Branch['health']) => string

function paintOf(session: Session): Paint {
  const colours = pc.createColors(session.io.isTerminal.stdout && !session.io.env.NO_COLOR)
  return ({ state, text }) => (state === 'ill' ? colours.red(text) : state === 'going' ? colours.yellow(text) : text)
}

/** A tree as lines, its health in a column of its own. */
export function treeLines(branch: Branch, paint: Paint, before = '', own = ''): string[] {
  const text = paint(branch.health)
  const line = `${own}${branch.name}\t${text}`
  return [
    line,
    ...branch.children.flatMap((child, i) => {
      const isLast = i === branch.children.length - 1
      return treeLines(child, paint, `${before}${isLast ? '   ' : '│  '}`, `${before}${isLast ? '└─ ' : '├─ '}`)
    }),
  ]
}
