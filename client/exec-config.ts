/** A program that gets the credentials, as a kubeconfig names it: the `exec` of a user. */
export interface ExecConfig {
  apiVersion?: string
  command: string
  args?: string[] | null
  env?: { name: string; value: string }[] | null
  /** What to do when the program is not there. */
  installHint?: string
  provideClusterInfo?: boolean
  /** Whether it may ask the person at the terminal. */
  interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
}

/** What a program was named with: the file that says so, and what it is told of the cluster. */
export interface ExecSource {
  config: ExecConfig
  /** Where a command that is a path begins. */
  dir: string
  cluster: Readonly<Record<string, unknown>>
}

/** What a program is told of its cluster, when it is to be told: the `Cluster` of client.authentication.k8s.io/v1. */
export function clusterInfo(
  server: string,
  entry: Readonly<Record<string, unknown>>,
  ca?: Buffer,
): ExecSource['cluster'] {
  const extensions = entry.extensions as { name: string; extension: unknown }[] | undefined
  const config = extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension
  const same = ['tls-server-name', 'insecure-skip-tls-verify', 'proxy-url', 'disable-compression']
  return {
    server,
    ...Object.fromEntries(same.filter((name) => entry[name]).map((name) => [name, entry[name]])),
    ...(ca ? { 'certificate-authority-data': ca.toString('base64') } : {}),
    ...(config === undefined ? {} : { config }),
  }
}
