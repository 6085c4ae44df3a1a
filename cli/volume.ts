import type { Verb } from './verb.ts'
import { backup } from './volume/backup.ts'
import { ls } from './volume/ls.ts'
import { restore } from './volume/restore.ts'

export const volume: Verb = {
  usage: '(ls | backup | restore)',
  examples: [
    'gantry volume ls -A',
    'gantry volume backup data data.tar.gz',
    'gantry volume restore data.tar.gz --name data-again',
  ],
  run: async () => 1,
  verbs: { ls, list: ls, backup, restore },
}
