import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Credential } from './config.ts'
import type { ExecConfig, ExecSource } from './exec-config.ts'

const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/** A terminal may ask a person, who takes a while. */
const limitMs = 5 * 60_000
const maxChunks = 100

/**
 * Runs the program of a user and waits for what it says (`ExecCredential` of client.authentication.k8s.io/v1). Throws an
 * Error that says what to do when it is missing, fails, or says something else.
 */
export async function runExec(
  { config, dir, cluster }: ExecSource,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Credential> {
  const { apiVersion = '', command, args, installHint, provideClusterInfo } = config
  if (!versions.includes(apiVersion))
    throw new Error(`exec plugin: invalid apiVersion ${JSON.stringify(apiVersion)}: use ${versions.join(' or ')}`)
  const interactive = mayAsk(config)
  const info = {
    kind: 'ExecCredential',
    apiVersion,
    spec: { ...(provideClusterInfo ? { cluster } : {}), interactive },
  }
  const variables = Object.fromEntries((config.env ?? []).map(({ name, value }) => [name, value]))
  const program = command.includes('/') ? resolve(dir, command) : command
  const child = spawn(program, args ?? [], {
    env: { ...env, ...variables, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    timeout: limitMs,
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => {
    // Beyond what a credential takes, nothing it says is heard.
    if (chunks.length < maxChunks) chunks.push(chunk)
  })
  const failure = await new Promise<string | undefined>((done) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      done(
        error.code === 'ENOENT' ? `not found${installHint ? `\n\n${installHint}` : ''}` : `failed: ${error.message}`,
      ),
    )
    child.once('close', (code, signal) =>
      done(code === 0 ? undefined : `failed with ${signal ? `signal ${signal}` : `exit code ${code}`}`),
    )
  })
  if (failure !== undefined) throw new Error(`exec: executable ${program} ${failure}`)
  return credentialIn(Buffer.concat(chunks).toString(), apiVersion, program)
}

/** Whether the program gets the terminal. Throws when it must have it and there is none. */
function mayAsk({ interactiveMode = 'IfAvailable', command }: ExecConfig): boolean {
  const isTerminal = process.stdin.isTTY === true
  if (interactiveMode === 'Never') return false
  if (interactiveMode === 'Always' && !isTerminal)
    throw new Error(`exec plugin ${command} cannot support interactive mode: standard input is not a terminal`)
  return isTerminal
}

interface Said {
  kind?: string
  apiVersion?: string
  status?: {
    token?: string
    clientCertificateData?: string
    clientKeyData?: string
    expirationTimestamp?: string
  }
}

function credentialIn(text: string, apiVersion: string, program: string): Credential {
  const refuse = (why: string) => new Error(`exec plugin ${program}: ${why}`)
  let said: Said | null
  try {
    said = JSON.parse(text) as Said | null
  } catch (error) {
    throw refuse(`what it printed is no JSON: ${(error as Error).message}`)
  }
  if (said?.kind !== 'ExecCredential') throw refuse(`it printed no ExecCredential but ${JSON.stringify(said?.kind)}`)
  if (said.apiVersion !== apiVersion)
    throw refuse(`it is configured to use API version ${apiVersion}, plugin returned version ${said.apiVersion}`)
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = said.status ?? {}
  if (!token && !clientCertificateData && !clientKeyData) throw refuse('it did not return a token or cert/key pair')
  if (Boolean(clientCertificateData) !== Boolean(clientKeyData))
    throw refuse('it returned only certificate or key, not both')
  return {
    ...(token ? { token } : {}),
    ...(clientCertificateData ? { cert: Buffer.from(clientCertificateData) } : {}),
    ...(clientKeyData ? { key: Buffer.from(clientKeyData) } : {}),
    ...(expirationTimestamp ? { expiresAt: Date.parse(expirationTimestamp) } : {}),
  }
}
