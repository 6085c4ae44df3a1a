import type { CertificateSigningRequest } from '../api/generated/types.ts'
import { formatTime } from '../api/machinery/time.ts'
import { pathOf } from '../client/client.ts'
import { isConflict } from '../client/errors.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { addFileFlags, areGiven, type FileFlags } from './flags.ts'
import { getObject, type NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { objectName, parseOutput, printObject } from './print/printer.ts'
import type { Session } from './session.ts'
import { subjectsGiven } from './subjects.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

interface CertificateFlags extends OutputFlags, FileFlags {
  force?: boolean
}

const attempts = 10

const deciding = (type: 'Approved' | 'Denied'): Verb<CertificateFlags> & { summary: string } => {
  const word = type === 'Approved' ? 'approve' : 'deny'
  return {
    summary: `${word} certificate signing requests`,
    usage: '(-f FILE | NAME...)',
    examples: [`gantry certificate ${word} jane`],
    define: (command) => void addOutputFlags(addFileFlags(command)).option('--force', 'also what is decided already'),
    async run(session, names, flags) {
      if (names.length === 0 && !areGiven(flags))
        throw new CliError('one or more CSRs must be specified as <name> or -f <filename>; `gantry get csr` lists them')
      const output = await parseOutput(flags)
      const words = names.length > 0 ? ['certificatesigningrequests', ...names] : []
      for (const subject of await subjectsGiven(session, words, flags)) {
        const decided = await decide(session, subject, type, Boolean(flags.force))
        session.io.out(
          output.type === 'table' ? `${objectName(decided)} ${type.toLowerCase()}\n` : printObject(output, decided),
        )
      }
      return 0
    },
  }
}

/** Adds the condition; again where somebody else has written meanwhile. */
async function decide(session: Session, { kind, object }: Subject, type: 'Approved' | 'Denied', force: boolean) {
  const word = type === 'Approved' ? 'approve' : 'deny'
  let current = object as unknown as Live<CertificateSigningRequest>
  for (let attempt = 1; ; attempt++) {
    const conditions = current.status?.conditions ?? []
    const other = type === 'Approved' ? 'Denied' : 'Approved'
    if (conditions.some((one) => one.type === other))
      throw new CliError(`certificate signing request "${object.metadata.name}" is already ${other.toLowerCase()}`)
    if (conditions.some((one) => one.type === type) && !force) return current as unknown as NamedObject
    const now = formatTime(session.clock.now())
    const condition = {
      type,
      status: 'True',
      reason: `Kubectl${type === 'Approved' ? 'Approve' : 'Deny'}`,
      message: `This CSR was ${type.toLowerCase()} by kubectl certificate ${word}.`,
      lastUpdateTime: now,
    }
    const body = {
      ...current,
      status: { ...current.status, conditions: [...conditions.filter((one) => one.type !== type), condition] },
    }
    try {
      return await session.json<NamedObject>('PUT', pathOf(kind, undefined, object.metadata.name, 'approval'), {
        body: JSON.stringify(body),
      })
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error
      current = (await getObject(session, kind, object.metadata.name)) as unknown as Live<CertificateSigningRequest>
    }
  }
}

export const certificate: Verb = {
  usage: '(approve | deny) NAME',
  examples: ['gantry certificate approve jane'],
  run: async () => 1,
  verbs: { approve: deciding('Approved'), deny: deciding('Denied') },
}
