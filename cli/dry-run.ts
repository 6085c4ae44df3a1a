import type { Option } from 'commander'
import { CliError } from './errors.ts'
import { optionalValue } from './flags.ts'

/** Do it; only say what would be done; or let the server try it and keep nothing. */
export type DryRun = 'none' | 'client' | 'server'

export const dryRunOption = (): Option =>
  optionalValue('--dry-run', 'none, client (send nothing) or server (send it, keep nothing)', 'client')

export function parseDryRun(text = 'none'): DryRun {
  if (text === 'none' || text === 'client' || text === 'server') return text
  throw new CliError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`)
}

export const dryRunQuery = (dryRun: DryRun): Record<string, string> => (dryRun === 'server' ? { dryRun: 'All' } : {})

/** What is added to a line that says what was done. */
export const dryRunSuffix = (dryRun: DryRun): string =>
  dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : ''
