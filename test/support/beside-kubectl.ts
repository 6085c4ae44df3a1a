import { expect } from 'vitest'
import { runGantry } from './cluster.ts'
import type { Cli, Run, RunOptions } from './kubectl.ts'

const words = (args: string | readonly string[]): readonly string[] =>
  typeof args === 'string' ? args.split(' ') : args

/** Ages, and the widths of columns that depend on them. */
export const settled = (text: string): string =>
  text
    .replace(/\b\d+(?:\.\d+)?(?:ms|[smhd])(?:\d+[smh])?\b/g, 'AGE')
    .replace(/\(x\d+ over AGE\)/g, '(xN over AGE)')
    .replace(/ \(AGE ago\)/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/ -+(?= )/g, ' -')

/** A cluster, or a server alone. */
interface Serving extends Pick<Cli, 'kubectl'> {
  readonly kubeconfig: string
  readonly enter?: readonly string[]
}

/** Our verbs and kubectl's against one cluster. */
export function besideKubectl(of: () => Serving) {
  const gantry = (
    args: string | readonly string[],
    { input, kubeconfig = of().kubeconfig }: { input?: string; kubeconfig?: string } = {},
  ): Promise<Run> => {
    const all = words(args)
    const end = all.includes('--') ? all.indexOf('--') : all.length
    const own = [...all.slice(0, end), `--kubeconfig=${kubeconfig}`, ...all.slice(end)]
    return runGantry(own, of().enter, input === undefined ? {} : { input })
  }

  const kubectl = (args: string | readonly string[], options: RunOptions = {}): Promise<Run> =>
    of().kubectl(args, { codes: [1, 2, 3, 7], ...options })

  /** Both say the same, on standard output and by their exit code; asked again where the cluster changed between. */
  async function same(args: string | readonly string[], { input = '', attempts = 4 } = {}): Promise<{ ours: Run }> {
    const [theirs, ours] = await Promise.all([kubectl(args, { input }), gantry(args, { input })])
    if (attempts > 1 && settled(ours.stdout) !== settled(theirs.stdout))
      return same(args, { input, attempts: attempts - 1 })
    const told = `gantry ${words(args).join(' ')}\n${ours.stderr}\nkubectl: ${theirs.stderr}`
    expect(settled(ours.stdout), told).toBe(settled(theirs.stdout))
    expect(ours.code, told).toBe(theirs.code)
    return { ours }
  }

  /** Each does it in its namespace, and both tell the same of it. */
  async function sameChange(args: string | readonly string[], { input = '' } = {}): Promise<Run> {
    const [verb = '', ...rest] = words(args)
    const theirs = await kubectl([verb, ...rest, '-n', 'theirs'], { input })
    const ours = await gantry([verb, ...rest, '-n', 'ours'], { input })
    const told = `gantry ${words(args).join(' ')}\n${ours.stderr}\nkubectl: ${theirs.stderr}`
    expect(settled(ours.stdout.replaceAll('ours', 'theirs')), told).toBe(settled(theirs.stdout))
    expect(ours.code, told).toBe(theirs.code)
    return ours
  }

  return { gantry, kubectl, same, sameChange }
}
