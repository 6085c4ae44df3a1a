import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Client } from '../../client/client.ts'
import { loadConfig } from '../../client/config.ts'

/** The cluster that a command is about: the flag's, $KUBECONFIG's, that of this directory, or the user's own; and the kubeconfig that tells of it, if it is known. */
export function reach(kubeconfig: string): { api: Client; namespace: string; file: string } {
  const own = resolve('.gantry/kubeconfig')
  const file = kubeconfig || process.env.KUBECONFIG || (existsSync(own) ? own : '')
  const config = loadConfig(file === '' ? {} : { kubeconfig: file })
  return { api: new Client(config), namespace: config.namespace ?? 'default', file }
}
