import type { AuthenticationV1TokenRequest } from '../../api/generated/types.ts'
import { pathOf } from '../../client/client.ts'
import { CliError } from '../errors.ts'
import { collectList, parseDuration } from '../flags.ts'
import { getObject } from '../objects.ts'
import { addOutputFlags, type OutputFlags } from '../print/output-flags.ts'
import { parseOutput, printObject } from '../print/printer.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { oneName } from './creating.ts'

interface TokenFlags extends OutputFlags {
  audience?: string[]
  duration?: string
  boundObjectKind?: string
  boundObjectName?: string
  boundObjectUid?: string
}

const boundKinds: Record<string, string> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }

export const token: Verb<TokenFlags> & { summary: string } = {
  summary: 'a token of a service account',
  usage: 'SERVICE_ACCOUNT_NAME',
  examples: ['gantry create token robot --duration=10m'],
  define: (command) =>
    void addOutputFlags(command, 'the whole answer as yaml or json')
      .option('--audience <names>', 'for whom it is', collectList)
      .option('--duration <duration>', 'how long it is good')
      .option('--bound-object-kind <kind>', 'Pod, Secret or Node: with which it ends')
      .option('--bound-object-name <name>', 'the name of that')
      .option('--bound-object-uid <uid>', 'and its uid'),
  async run(session, args, flags) {
    const name = oneName(args, 'service account')
    const output = await parseOutput(flags)
    const durationMs = flags.duration === undefined ? undefined : parseDuration(flags.duration)
    if (flags.duration !== undefined && durationMs === undefined)
      throw new CliError(`invalid --duration "${flags.duration}": write 10m or 1h`)
    const kind = (await session.kinds()).named('serviceaccounts')
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: flags.audience ?? [],
        ...(durationMs === undefined ? {} : { expirationSeconds: Math.ceil(durationMs / 1000) }),
        ...(flags.boundObjectKind ? { boundObjectRef: await boundObject(session, flags) } : {}),
      },
    }
    const answer = await session.json<AuthenticationV1TokenRequest>(
      'POST',
      pathOf(kind, session.namespace, name, 'token'),
      { body: JSON.stringify(body) },
    )
    session.io.out(
      output.type === 'table'
        ? `${answer.status?.token ?? ''}\n`
        : printObject(output, answer as Parameters<typeof printObject>[1]),
    )
    return 0
  },
}

async function boundObject(session: Session, flags: TokenFlags): Promise<object> {
  const { boundObjectKind = '', boundObjectName: name, boundObjectUid } = flags
  const plural = boundKinds[boundObjectKind]
  if (!plural) throw new CliError(`supported --bound-object-kind values are ${Object.keys(boundKinds).join(', ')}`)
  if (!name) throw new CliError('--bound-object-name is required if --bound-object-kind is provided')
  const kind = (await session.kinds()).named(plural)
  const uid =
    boundObjectUid ??
    (await getObject(session, kind, name, kind.namespaced ? session.namespace : undefined)).metadata.uid
  return { kind: boundObjectKind, apiVersion: 'v1', name, uid }
}
