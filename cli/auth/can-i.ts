import type { PolicyRule, SelfSubjectAccessReview, SelfSubjectRulesReview } from '../../api/generated/types.ts'
import { compactRules } from '../describe/access.ts'
import { bracketed } from '../describe/lines.ts'
import { CliError } from '../errors.ts'
import type { Kinds, ServedKind } from '../kinds.ts'
import { alignRows } from '../print/table.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'

interface CanIFlags {
  list?: boolean
  allNamespaces?: boolean
  quiet?: boolean
  subresource?: string
  headers: boolean
}

const resourceVerbs =
  'get list watch create update patch delete deletecollection use bind impersonate * approve sign escalate attest'
const pathVerbs = 'get put post head options delete patch *'
/** What is asked for in the place of kinds that no server lists. */
const unlisted = ['users', 'groups', 'serviceaccounts', 'userextras']
const group = '/apis/authorization.k8s.io/v1'

export const canI: Verb<CanIFlags> & { summary: string } = {
  summary: 'whether you may do something',
  usage: 'VERB (TYPE | TYPE/NAME | /PATH)',
  examples: ['gantry auth can-i create deployments -n shop', 'gantry auth can-i --list --as=jane'],
  define: (command) =>
    void command
      .option('--list', 'all that you may')
      .option('-A, --all-namespaces', 'in every namespace')
      .option('-q, --quiet', 'say it by the exit code alone')
      .option('--subresource <name>', 'log of pods, scale of deployments')
      .option('--no-headers', 'no line with the names of the columns'),
  async run(session, args, flags) {
    if (flags.list) {
      if (args.length > 0) throw new CliError('list option must be specified with no arguments')
      return list(session, flags)
    }
    const [verb, what, extra] = args
    if (verb === undefined || what === undefined || extra !== undefined)
      throw new CliError(
        "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'gantry auth can-i -h' for help and examples.",
      )
    const spec = what.startsWith('/')
      ? { nonResourceAttributes: { verb, path: what } }
      : { resourceAttributes: await resourceOf(session, verb, what, flags) }
    if (!(what.startsWith('/') ? pathVerbs : resourceVerbs).split(' ').includes(verb))
      session.io.err(`Warning: verb '${verb}' is not a known verb\n\n`)
    const { status } = await session.json<SelfSubjectAccessReview>('POST', `${group}/selfsubjectaccessreviews`, {
      body: JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec }),
    })
    if (!flags.quiet) {
      const why = [status?.reason, status?.evaluationError].filter((text) => text)
      session.io.out(status?.allowed ? 'yes\n' : `no${why.map((text) => ` - ${text}`).join('')}\n`)
    }
    return status?.allowed ? 0 : 1
  },
}

async function resourceOf(session: Session, verb: string, what: string, flags: CanIFlags) {
  const [word = '', name = ''] = what.split('/')
  const found = kindNamed(await session.kinds(), word)
  const namespace = flags.allNamespaces ? '' : session.namespace
  if (found && !found.namespaced && namespace !== '')
    session.io.err(
      `Warning: resource '${found.plural}' is not namespace scoped${found.group ? ` in group '${found.group}'` : ''}\n\n`,
    )
  if (!found && word !== '*' && !unlisted.includes(word))
    session.io.err(`Warning: the server doesn't have a resource type '${word}'\n\n`)
  return {
    verb,
    namespace,
    group: found?.group ?? (word === '*' ? '*' : ''),
    resource: found?.plural ?? word,
    subresource: flags.subresource ?? '',
    name,
  }
}

/** What is not served may be asked for all the same: a right may come before its kind. */
function kindNamed(kinds: Kinds, word: string): ServedKind | undefined {
  if (word === '*') return undefined
  try {
    return kinds.named(word)
  } catch (error) {
    if (error instanceof CliError) return undefined
    throw error
  }
}

async function list(session: Session, flags: CanIFlags): Promise<number> {
  const spec = { namespace: flags.allNamespaces ? '' : session.namespace }
  const { status } = await session.json<SelfSubjectRulesReview>('POST', `${group}/selfsubjectrulesreviews`, {
    body: JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec }),
  })
  if (status?.incomplete) session.io.err(`Warning: the list may be incomplete: ${status.evaluationError}\n`)
  const rules: PolicyRule[] = [...(status?.resourceRules ?? []), ...(status?.nonResourceRules ?? [])]
  const rows = compactRules(rules).map(({ what, urls, names, verbs }) => [
    what,
    bracketed(urls),
    bracketed(names),
    bracketed(verbs),
  ])
  const header = ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']
  session.io.out(alignRows(flags.headers ? [header, ...rows] : rows))
  return 0
}
