import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from './layout.ts'

/** Who needs credentials, and for which addresses. */
export interface CredentialsWanted {
  /** URL of the API server, as components of this machine reach it. */
  server: string
  /** The same, as node agents reach it. */
  nodeServer: string
  /** The same, as the administrator reaches it, where that is another way. */
  adminServer?: string
  /** Names and addresses of the API server beyond those of this machine. */
  sans: readonly string[]
  nodes: readonly { name: string; sans: readonly string[] }[]
}

/** Says what has been issued, and when it has to be looked at again. */
export const credentialsStamp = (layout: Layout): string => join(layout.pki, 'issued.json')

/** Whether all that is wanted has been issued and lasts. Knows nothing of certificates: that would cost memory. */
export function credentialsAreCurrent(layout: Layout, want: CredentialsWanted, nowMs: number): boolean {
  try {
    const stamp = JSON.parse(readFileSync(credentialsStamp(layout), 'utf8')) as { want: unknown; renewAtMs: number }
    const files = ['scheduler', 'controller-manager', ...want.nodes.map(({ name }) => name)]
    return (
      JSON.stringify(stamp.want) === JSON.stringify(want) &&
      nowMs < stamp.renewAtMs &&
      [layout.kubeconfig, ...files.map(layout.kubeconfigOf)].every(existsSync)
    )
  } catch {
    return false
  }
}
