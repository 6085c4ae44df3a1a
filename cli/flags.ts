import { type Command, Option } from 'commander'

/** What every verb understands. */
export interface SharedFlags {
  namespace?: string
  kubeconfig?: string
  context?: string
  server?: string
  token?: string
  as?: string
  asGroup?: string[]
  asUid?: string
  asUserExtra?: string[]
  cluster?: string
  user?: string
  certificateAuthority?: string
  clientCertificate?: string
  clientKey?: string
  tlsServerName?: string
  insecureSkipTlsVerify?: boolean
  warningsAsErrors?: boolean
  requestTimeout?: string
  v?: string
}

export const collect = (value: string, before: string[] = []): string[] => [...before, value]

/** Adds the flags that every verb understands, but for those that it means otherwise: a cluster's server, a user's token. */
export function addSharedFlags(command: Command): void {
  const own = new Set(command.options.map(({ long }) => long))
  const shared = [
    new Option('-n, --namespace <name>', 'the namespace to work in'),
    new Option('--kubeconfig <file>', 'where the cluster and the user are written'),
    new Option('--context <name>', 'the context of the kubeconfig'),
    new Option('-s, --server <url>', 'the API server, in place of that of the kubeconfig').hideHelp(),
    new Option('--token <token>', 'a bearer token').hideHelp(),
    new Option('--cluster <name>', 'this cluster of the kubeconfig').hideHelp(),
    new Option('--user <name>', 'this user of the kubeconfig').hideHelp(),
    new Option('--certificate-authority <file>', 'whose certificates are believed').hideHelp(),
    new Option('--client-certificate <file>', 'who you are, as a certificate').hideHelp(),
    new Option('--client-key <file>', 'its key').hideHelp(),
    new Option('--tls-server-name <name>', 'the name that the certificate must have').hideHelp(),
    new Option('--insecure-skip-tls-verify', 'believe any certificate').hideHelp(),
    new Option('--request-timeout <duration>', 'give up on one request after so long').hideHelp(),
    new Option('--as <user>', 'act as somebody else').hideHelp(),
    new Option('--as-group <group>', 'and as a member of a group').argParser(collect).hideHelp(),
    new Option('--as-uid <uid>', 'and with this uid').hideHelp(),
    new Option('--as-user-extra <key=value>', 'and with this more').argParser(collect).hideHelp(),
    new Option('-v, --v <level>', 'show what is asked: 6 requests, 7 headers, 8 bodies').hideHelp(),
    new Option('--warnings-as-errors', 'fail where the server warns').hideHelp(),
  ]
  const shorts = new Set(command.options.map(({ short }) => short))
  for (const option of shared) {
    if (own.has(option.long)) continue
    // A verb that means something else by the letter has the flag by its long name only.
    if (option.short && shorts.has(option.short)) delete option.short
    command.addOption(option)
  }
}

/** What `-f`, `-k` and `-R` say. */
export interface FileFlags {
  filename?: string[]
  kustomize?: string
  recursive?: boolean
}

/** Whether files or a kustomization are given. */
export const areGiven = ({ filename, kustomize }: FileFlags): boolean => Boolean(filename || kustomize)

/** `-f`: files, directories, URLs or `-`; `-k`: a kustomization. */
export const addFileFlags = (command: Command): Command =>
  command
    .option(
      '-f, --filename <file>',
      'a file, a directory, a URL, or - for standard input; may be repeated',
      collectList,
    )
    .option('-k, --kustomize <dir>', 'what the kustomization of this directory makes; instead of -f')
    .option('-R, --recursive', 'look into the directories of a directory')

/** `a,b` and repeated flags. */
export const collectList = (value: string, before: string[] = []): string[] => [...before, ...value.split(',')]

/** A flag whose value may be left out, but which is never taken from the next word: `--dry-run`, `--dry-run=client`. */
export const optionalValue = (flag: string, description: string, whenBare: string): Option =>
  new Option(`${flag} [value]`, description).preset(whenBare)

/**
 * Brings the words of a command line into the form the parser knows: `-o=json`, `--flag=true`, `--flag=false`, and
 * flags whose value may be left out.
 */
export function normalizeArgs(args: readonly string[], options: readonly Option[]): string[] {
  const byShort = new Map(options.flatMap((option) => (option.short ? [[option.short, option] as const] : [])))
  const byLong = new Map(options.flatMap((option) => (option.long ? [[option.long, option] as const] : [])))
  const normal: string[] = []
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string
    const previous = args[i - 1] ?? ''
    const taken = i > 0 && !previous.includes('=') && (byShort.get(previous) ?? byLong.get(previous))?.required
    const short = /^(-[A-Za-z])=(.*)$/s.exec(word)
    const long = /^(--[a-z-]+)(?:=(.*))?$/s.exec(word)
    const option = long ? byLong.get(long[1] as string) : undefined
    const value = long?.[2]
    if (taken) normal.push(word)
    else if (short && byShort.has(short[1] as string)) normal.push(short[1] as string, short[2] as string)
    else if (option?.optional && value === undefined) normal.push(`${word}=${option.presetArg}`)
    else if (option?.isBoolean() && !option.negate && value !== undefined) {
      if (value === 'true') normal.push(option.long as string)
      // Given and false is not the same as not given where the default is true.
      else if (option.defaultValue === true || byLong.has(`--no-${option.name()}`)) normal.push(`--no-${option.name()}`)
    } else normal.push(word)
  }
  return normal
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `1h30m`, `20s`, `100ms`, or a bare `0` in milliseconds; undefined for what is no duration. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(amount) * unitMs[unit!]!
  return total
}
