import { pathOf } from '../../client/client.ts'
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from '../../client/errors.ts'
import { changeText } from '../changing.ts'
import { type DryRun, dryRunOption, parseDryRun } from '../dry-run.ts'
import { CliError } from '../errors.ts'
import { addFileFlags, areGiven, type FileFlags } from '../flags.ts'
import { manifestsGiven } from '../manifests-given.ts'
import { addOutputFlags, type OutputFlags } from '../print/output-flags.ts'
import { parseOutput } from '../print/printer.ts'
import type { Session } from '../session.ts'
import { objectAt, type Place } from '../until.ts'
import type { Verb } from '../verb.ts'
import { type Access, type Reconciliation, reconciled } from './reconciliation.ts'

interface ReconcileFlags extends OutputFlags, FileFlags {
  dryRun?: string
  removeExtraPermissions?: boolean
  removeExtraSubjects?: boolean
}

const group = 'rbac.authorization.k8s.io'
const attempts = 3

export const reconcile: Verb<ReconcileFlags> & { summary: string } = {
  summary: 'bring roles and bindings to what files say',
  usage: '-f FILE',
  examples: ['gantry auth reconcile -f roles.yaml', 'gantry auth reconcile -f roles.yaml --remove-extra-permissions'],
  define: (command) =>
    void addOutputFlags(addFileFlags(command))
      .option('--remove-extra-permissions', 'take away what roles allow beside')
      .option('--remove-extra-subjects', 'take away whom bindings name beside')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (!areGiven(flags)) throw new CliError('must specify one of -f and -k')
    if (args.length > 0) throw new CliError('no arguments are allowed')
    const dryRun = parseDryRun(flags.dryRun)
    if (dryRun === 'server') throw new CliError('--dry-run=server for command reconcile is not supported yet')
    const output = await parseOutput(flags)
    for (const { object } of await manifestsGiven(session.io, flags)) {
      // What is no right is left alone, so that whole manifests can be given.
      if (!object.apiVersion.startsWith(`${group}/`)) continue
      if (object.apiVersion !== `${group}/v1`)
        throw new CliError(`only ${group}/v1 is supported: not ${object.apiVersion} ${object.kind}`)
      const kind = (await session.kinds()).of(object.apiVersion, object.kind)
      const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
      const wanted = { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } } as Access
      const place = { kind, name: wanted.metadata.name, namespace }
      const done = await bring(session, place, wanted, flags, dryRun)
      session.io.out(changeText(output, done.object, 'reconciled', dryRun))
      session.io.err(toldOf(done))
    }
    return 0
  },
}

/** Decides, and does it; again where somebody was faster. */
async function bring(
  session: Session,
  place: Place,
  wanted: Access,
  flags: ReconcileFlags,
  dryRun: DryRun,
): Promise<Reconciliation> {
  for (let attempt = 1; ; attempt++) {
    const existing = (await objectAt(session, place)) as Access | undefined
    const plan = reconciled(existing, wanted, {
      extraPermissions: Boolean(flags.removeExtraPermissions),
      extraSubjects: Boolean(flags.removeExtraSubjects),
    })
    if (plan.isProtected || dryRun !== 'none') return plan
    try {
      return { ...plan, object: await carryOut(session, place, plan, existing) }
    } catch (error) {
      const wasFaster = isConflict(error) || isAlreadyExists(error) || (plan.step === 'update' && isNotFound(error))
      if (!wasFaster || attempt === attempts) throw error
    }
  }
}

async function carryOut(
  session: Session,
  { kind, name, namespace }: Place,
  { step, object }: Reconciliation,
  existing: Access | undefined,
): Promise<Access> {
  if (step === 'none') return object
  const body = JSON.stringify(object)
  if (step === 'update') return session.json<Access>('PUT', pathOf(kind, namespace, name), { body })
  if (step === 'recreate') {
    const preconditions = { uid: existing?.metadata.uid }
    await session
      .json('DELETE', pathOf(kind, namespace, name), { body: JSON.stringify({ preconditions }) })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
  } else if (namespace) await ensureNamespace(session, namespace)
  return session.json<Access>('POST', pathOf(kind, namespace), { body })
}

/** Makes the namespace. Who may not look or make it is told by what follows. */
async function ensureNamespace(session: Session, name: string): Promise<void> {
  const namespaces = (await session.kinds()).named('namespaces')
  try {
    if (await objectAt(session, { kind: namespaces, name, namespace: undefined })) return
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    await session.json('POST', pathOf(namespaces), { body })
  } catch (error) {
    if (!isForbidden(error) && !isAlreadyExists(error)) throw error
  }
}

function toldOf({ step, isProtected, ...more }: Reconciliation): string {
  if (step === 'none') return ''
  const caveat = isProtected ? ', but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)' : ''
  const list = (title: string, items: readonly object[]) =>
    items.length === 0 ? '' : `\t${title}:\n${items.map((item) => `\t\t${JSON.stringify(item)}\n`).join('')}`
  return [
    `\treconciliation required ${step}${caveat}\n`,
    list('missing subjects added', more.missingSubjects),
    list('extra subjects removed', more.extraSubjects),
    list('missing rules added', more.missingRules),
    list('extra rules removed', more.extraRules),
  ].join('')
}
