import type { Command } from 'commander'
import { CliError, explain } from './errors.ts'
import { toJson } from './print/documents.ts'
import { toYaml } from './print/yaml.ts'
import type { Verb } from './verb.ts'

interface VersionFlags {
  client?: boolean
  output?: string
}

interface VersionInfo {
  major: string
  minor: string
  gitVersion: string
  platform: string
}

/** The version of the API that this program speaks, as the server of the same build tells it. */
const clientVersion: VersionInfo & Record<string, string> = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.1+gantry',
  goVersion: `node${process.versions.node}`,
  compiler: 'v8',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
}

export const version: Verb<VersionFlags> = {
  usage: '',
  examples: ['gantry version', 'gantry version --client', 'gantry version -o json'],
  define: (command: Command) =>
    void command
      .option('--client', 'only of this program; no server is asked')
      .option('-o, --output <format>', 'yaml or json'),
  async run(session, args, { client, output = '' }) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]`)
    if (!['', 'yaml', 'json'].includes(output)) throw new CliError("--output must be 'yaml' or 'json'")
    let serverVersion: VersionInfo | undefined
    let failure: unknown
    if (!client) {
      try {
        serverVersion = await session.json<VersionInfo>('GET', '/version')
      } catch (error) {
        failure = error
      }
    }
    const versions = { clientVersion, ...(serverVersion ? { serverVersion } : {}) }
    if (output === 'json') session.io.out(toJson(versions).replace(/^( {4})+/gm, (tabs) => ' '.repeat(tabs.length / 2)))
    else if (output === 'yaml') session.io.out(toYaml(versions))
    else {
      session.io.out(`Client Version: ${clientVersion.gitVersion}\n`)
      if (serverVersion) session.io.out(`Server Version: ${serverVersion.gitVersion}\n`)
    }
    if (!failure) return 0
    const { text, code } = explain(failure, session.server)
    session.io.err(text)
    return code
  },
}
