import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { layoutOf } from './layout.ts'

const usual = '.gantry'

/**
 * Where the cluster of this machine is kept that is meant: the directory that was named, the usual one, or the one that
 * $KUBECONFIG lies in, if it is one.
 */
export function dataDirOf(named: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (named !== undefined || existsSync(layoutOf(usual).settings)) return named ?? usual
  const [first = ''] = (env.KUBECONFIG ?? '').split(':')
  return first !== '' && existsSync(layoutOf(dirname(first)).settings) ? dirname(first) : usual
}
