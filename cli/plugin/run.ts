import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'

/** Runs a plugin in this terminal, with the cluster that this tool means; resolves to its exit code. */
export function runPlugin(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const local = resolve('.gantry/kubeconfig')
  const child = spawn(path, args, {
    stdio: 'inherit',
    env: { ...env, ...(!env.KUBECONFIG && existsSync(local) ? { KUBECONFIG: local } : {}) },
  })
  // Ctrl-C reaches both of them: it is the plugin that decides.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', (signal) => void child.kill(signal))
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', (code, signal) => done(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}
