import { CliError } from '../errors.ts'
import { podSpecOrThrow, type SetFlags, setting } from './setting.ts'

export const serviceaccount = setting<SetFlags>({
  summary: 'as whom pods speak with the server',
  usage: '(-f FILE | TYPE NAME) ACCOUNT',
  examples: ['gantry set serviceaccount deployment web robot'],
  done: 'serviceaccount updated',
  tellsAlways: true,
  parse(_session, args) {
    const account = args.at(-1)
    if (!account) throw new CliError('serviceaccount is required: `gantry set serviceaccount TYPE NAME ACCOUNT`')
    return {
      words: args.slice(0, -1),
      change(object) {
        const spec = podSpecOrThrow(object)
        spec.serviceAccountName = account
        // The older name of the same field goes with it, where a server has written it.
        if (spec.serviceAccount) spec.serviceAccount = account
        return object
      },
    }
  },
})
