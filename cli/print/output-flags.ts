import type { Command } from 'commander'
import { optionalValue } from '../flags.ts'

/** How a verb is told what to show of objects. */
export interface OutputFlags {
  output?: string
  template?: string
  allowMissingTemplateKeys?: string
  showManagedFields?: boolean
}

/** Adds them, as kubectl has them wherever objects can be shown. */
export const addOutputFlags = (
  command: Command,
  what = 'what to show of each object: name, yaml, kyaml, json, jsonpath=…, go-template=…',
): Command =>
  command
    .option('-o, --output <format>', what)
    .option('--template <text|file>', 'the template of -o go-template, go-template-file, jsonpath or jsonpath-file')
    .addOption(
      optionalValue(
        '--allow-missing-template-keys',
        'with =false: a field that a template misses is a failure',
        'true',
      ),
    )
    .option('--show-managed-fields', 'with metadata.managedFields, in YAML and JSON')
