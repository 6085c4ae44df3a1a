import { CliError } from './errors.ts'
import type { Verb } from './verb.ts'

interface Link {
  path: string
  expirationTimestamp: string
}

export const dashboard: Verb<object> = {
  usage: '',
  examples: ['gantry dashboard', 'gantry dashboard --as jane'],
  async run(session, args) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]`)
    const { path, expirationTimestamp } = await session.json<Link>('POST', '/ui/links')
    const seconds = Math.round((Date.parse(expirationTimestamp) - session.clock.now()) / 1000)
    session.io.out(`${session.client.config.server}${path}\n`)
    if (!session.io.isTerminal.stdout) return 0
    session.io.err(
      `\nOpen it in a browser within ${seconds} seconds: it lets one in, with your rights, for eight hours.\nThe cluster has a certificate authority of its own, so the browser asks you once whether you trust it.\n`,
    )
    return 0
  },
}
