import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Client } from '../../client/client.ts'
import { inClusterConfig, loadConfig } from '../../client/config.ts'

/** The cluster that a command is about: the flag's, $KUBECONFIG's, that of this directory, or the user's own; and the kubeconfig that tells of it, if it is known. */
export function reach(kubeconfig: string): { api: Client; namespace: string; file: string } {
  const own = resolve('.gantry/kubeconfig')
  const file = kubeconfig || process.env.KUBECONFIG || (existsSync(own) ? own : '')
  if (file === '' && !existsSync(resolve(homedir(), '.kube/config')) && !inClusterConfig())
    throw new Error(
      'no cluster is known here: start one with `gantry up`, or name a kubeconfig with --kubeconfig or $KUBECONFIG',
    )
  const config = loadConfig(file === '' ? {} : { kubeconfig: file })
  return { api: new Client(config), namespace: config.namespace ?? 'default', file }
}
