import { CliError } from './errors.ts'
import type { Verb } from './verb.ts'

export const apiVersions: Verb<object> = {
  usage: '',
  examples: ['gantry api-versions'],
  async run(session, args) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]`)
    const [core, named] = await Promise.all([
      session.json<{ versions?: string[] }>('GET', '/api'),
      session.json<{ groups?: { versions?: { groupVersion: string }[] }[] }>('GET', '/apis'),
    ])
    const groups = (named.groups ?? []).flatMap(({ versions = [] }) => versions.map(({ groupVersion }) => groupVersion))
    for (const version of [...(core.versions ?? []), ...groups].sort()) session.io.out(`${version}\n`)
    return 0
  },
}
