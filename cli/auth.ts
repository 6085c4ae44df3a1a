import { canI } from './auth/can-i.ts'
import { reconcile } from './auth/reconcile.ts'
import { whoami } from './auth/whoami.ts'
import type { Verb } from './verb.ts'

export const auth: Verb = {
  usage: '(can-i | reconcile | whoami)',
  examples: ['gantry auth can-i create deployments', 'gantry auth whoami'],
  run: async () => 1,
  verbs: { 'can-i': canI, reconcile, whoami },
}
