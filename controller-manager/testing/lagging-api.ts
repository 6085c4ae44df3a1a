import type { Api, Clock, WatchEvent } from '../../client/types.ts'

/** The same server, whose watches tell everything late: each event after the time that `lagMs` gives for it. */
export function laggingApi(api: Api, clock: Clock, lagMs: () => number): Api {
  return new Proxy(api, {
    get(target, name) {
      if (name !== 'watch') {
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      }
      return async function* (...args: Parameters<Api['watch']>): AsyncGenerator<WatchEvent<unknown>> {
        for await (const event of target.watch(...args)) {
          await clock.sleep(lagMs(), args[1].signal)
          yield event
        }
      }
    },
  })
}
