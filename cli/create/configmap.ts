import { isUtf8 } from 'node:buffer'
import type { Command } from 'commander'
import { collect } from '../flags.ts'
import { creating, oneName } from './creating.ts'
import { type DataFlags, dataOf } from './data.ts'
import { contentHash } from './hash.ts'

/** The flags that say what is in a config map or a secret. */
export const addDataFlags = (command: Command): Command =>
  command
    .option('--from-literal <key=value>', 'an entry as it stands here; may be repeated', collect)
    .option('--from-file <[key=]path>', 'an entry for a file, or for each of a directory', collect)
    .option('--from-env-file <path>', 'an entry for each variable of a file', collect)
    .option('--append-hash', 'what is in it as a hash at the end of its name')

export const configmap = creating<DataFlags & { appendHash?: boolean }>({
  summary: 'a config map, from words or files',
  usage: 'NAME [--from-literal=KEY=VALUE] [--from-file=[KEY=]PATH]',
  examples: ['gantry create configmap settings --from-literal=color=red --from-file=app.conf'],
  define: (command) => void addDataFlags(command),
  make(args, flags) {
    const name = oneName(args, 'config map')
    const text: Record<string, string> = {}
    const binary: Record<string, string> = {}
    for (const [key, bytes] of dataOf(flags)) {
      if (isUtf8(bytes)) text[key] = bytes.toString()
      else binary[key] = bytes.toString('base64')
    }
    const data = {
      ...(Object.keys(text).length > 0 ? { data: text } : {}),
      ...(Object.keys(binary).length > 0 ? { binaryData: binary } : {}),
    }
    const hash = flags.appendHash
      ? `-${contentHash({ data: text, kind: 'ConfigMap', name, ...withoutEmpty(binary) })}`
      : ''
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}${hash}` }, ...data }
  },
})

const withoutEmpty = (binaryData: Record<string, string>): object =>
  Object.keys(binaryData).length > 0 ? { binaryData } : {}
