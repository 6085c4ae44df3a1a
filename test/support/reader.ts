import { type ChildProcess, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeMachine } from './cluster.ts'
import type { Command, Step } from './doc-page.ts'
import { firstMissing } from './shape.ts'
import { stockClients } from './stock-clients.ts'
import { until } from './until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Somebody who does what the docs say, on a machine of their own: with a home, a clone of the project, and a shell. */
export interface Reader {
  /** Does one step. Throws, with all that was said, when it fails or shows something else than its page. */
  follow(step: Step): Promise<void>
  /** Sits down to another page: in the clone, with the cluster of the README, and a namespace where nothing is. */
  open(namespace: string): Promise<void>
  leave(): Promise<void>
}

interface Output {
  code: number
  text: string
}

/** What serves until it is told to stop, in a terminal of its own, while the reader goes on in another. */
const serves =
  /npm start|gantry (apiserver|scheduler|node-agent|balancer|port-forward|proxy)\b|gantry up\b(?!.*--detach)|&\s*(#.*)?$/

/** What goes on showing things, until the reader has seen enough. */
const follows = /gantry watch\b|(logs|get|events)\b.* (-f|-w|--follow|--watch)\b|record (?!.*--(since|for))/

/** What may be asked once more when it does not show yet what the page says. */
const asks = /\b(get|describe|top|why|plan|status|logs|tree|history|curl|diff|rebalance|exec|ls|can-i)\b/

/** The machine's name as a word of its own: a short one may also stand in the middle of a pod's random name. */
const thisMachine = new RegExp(`\\b${hostname().replaceAll('.', '\\.')}\\b`, 'g')

const isFailure = /^(error|Error from server|The \w+ ".*" is invalid|gantry:|gantry [a-z -]+:)/m

/** A reader with a machine of their own, a network namespace where nobody else is. */
export function newReader(): Reader {
  const home = mkdtempSync(join(tmpdir(), 'gantry-reader-'))
  const clone = join(home, 'gantry')
  const [state, programs] = [join(home, '.shell'), join(home, '.bin')]
  for (const directory of [clone, state, programs]) mkdirSync(directory)
  for (const name of readdirSync(root)) {
    if (!name.startsWith('.')) symlinkSync(join(root, name), join(clone, name))
  }
  symlinkSync(join(root, 'bin/gantry'), join(programs, 'gantry'))
  for (const name of ['kubectl', 'helm'] as const) symlinkSync(stockClients(36)[name], join(programs, name))
  writeFileSync(join(state, 'directory'), clone)
  writeFileSync(join(state, 'environment'), '')

  const { enter, remove } = makeMachine()
  const terminals: { child: ChildProcess; text: string }[] = []
  const env = {
    ...process.env,
    HOME: home,
    PATH: `${programs}:${process.env.PATH}`,
    KUBECONFIG: '',
    TERM: 'dumb',
    KUBE_EDITOR: 'true',
  }

  /** Starts a command where and as the one before it left off. */
  const start = (command: string) => {
    const script = `. ${state}/environment; cd "$(cat ${state}/directory)"
${command}
code=$?; export -p > ${state}/environment; pwd > ${state}/directory; exit $code`
    const [program = '', ...rest] = [...enter, 'bash', '-c', script]
    const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const output = { text: '' }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output.text += text.replaceAll(home, '~').replace(thisMachine, 'laptop')
      })
    }
    const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 137)))
    return { child, output, ended }
  }
  const run = async (command: string): Promise<Output> => {
    const { child, output, ended } = start(command)
    const timer = setTimeout(() => end(child, 'SIGKILL'), 90_000)
    const code = await ended
    clearTimeout(timer)
    return { code, text: output.text }
  }

  const watch = async ({ text, shown }: Command) => {
    // It draws on terminals only.
    const { child, output, ended } = start(/gantry watch\b/.test(text) ? `script -qfec '${text}' /dev/null` : text)
    let code: number | undefined
    void ended.then((is) => {
      code = is
    })
    const seen = () => (shown ? firstMissing([...shown, '…'], output.text) === undefined : output.text !== '')
    await until(() => seen() || code !== undefined, { timeoutMs: 60_000, message: text }).catch((error: Error) => {
      throw new Error(`${error.message}, but\n${output.text}`)
    })
    if (!seen()) throw new Error(`${text}: exit ${code}\n${output.text}`)
    if (serves.test(text)) terminals.push({ child, text })
    else {
      end(child, 'SIGINT')
      await ended
    }
  }

  const once = async ({ text, shown }: Command) => {
    const { code, text: printed } = await run(text)
    const missing = shown && firstMissing(shown, printed)
    // Differences are what it was to find.
    const found = code === 1 && /\bdiff\b/.test(text)
    if (code !== 0 && !found && !isFailure.test(shown?.join('\n') ?? ''))
      throw new Error(`${text}: exit ${code}\n${printed}`)
    if (missing !== undefined) throw new Error(`${text}: should show\n  ${missing}\nbut it was\n${printed}`)
  }

  /** Ends what serves, but for what the next page needs. */
  const closeTerminals = async (stays: RegExp) => {
    const all = terminals.splice(0)
    terminals.push(...all.filter(({ text }) => stays.test(text)))
    for (const { child } of all.filter(({ text }) => !stays.test(text))) {
      end(child, 'SIGINT')
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve))
    }
  }

  return {
    async open(namespace) {
      await closeTerminals(/npm start/)
      const { code, text } = await run(`cd ${clone}; export KUBECONFIG=${clone}/.gantry/kubeconfig
        [ -e $KUBECONFIG ] || gantry up --detach --quickstart || exit
        kubectl create namespace ${namespace} && kubectl config set-context --current --namespace=${namespace}`)
      if (code !== 0) throw new Error(text)
    },
    async follow(step) {
      if (step.kind === 'file') {
        const path = join(readFileSync(join(state, 'directory'), 'utf8').trim(), step.path)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, step.text)
      } else if (serves.test(step.text) || follows.test(step.text)) await watch(step)
      else if (asks.test(step.text)) {
        const startedAt = performance.now()
        for (;;) {
          const failure = await once(step).then(
            () => undefined,
            (error: unknown) => error,
          )
          if (failure === undefined) return
          if (performance.now() - startedAt > patienceMs) throw failure
          await new Promise((resolve) => setTimeout(resolve, 300))
        }
      } else await once(step)
    },
    async leave() {
      for (const name of ['gantry/.gantry', ...readdirSync(home)]) {
        if (existsSync(join(home, name, 'cluster.json')))
          await run(`gantry down --data-dir ${join(home, name)} --delete-data`)
      }
      await closeTerminals(/(?!)/)
      remove()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** As long as a busy machine takes to bring about what a page shows. */
const patienceMs = 60_000

/** Ends a command with all that it has started in the foreground. */
function end(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, signal)
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
