import { readFile } from 'node:fs/promises'
import { inCidr, prefixOf } from '../addresses.ts'
import { CommandError, type Run } from '../command.ts'

/** Whose a table is: the process that keeps it, and the addresses it gives out. */
export interface Owner {
  pid: number
  /** When the process started, in the kernel's ticks: tells it from a later one of the same number. */
  startTicks: string
  cidrs: readonly string[]
}

/** The owner as the name of an empty chain: it is there as long as the table is, in the same network namespace. */
export function ownerChain({ pid, startTicks, cidrs }: Owner): string {
  return ['owner', pid, startTicks, ...cidrs.map((cidr) => cidr.replaceAll(':', '_').replace('/', '-'))].join('/')
}

/** Reads {@link ownerChain}; undefined for other names. */
export function readOwner(chain: string): Owner | undefined {
  const [word, pid, startTicks, ...cidrs] = chain.split('/')
  if (word !== 'owner' || !pid || !startTicks) return undefined
  return { pid: Number(pid), startTicks, cidrs: cidrs.map((cidr) => cidr.replaceAll('_', ':').replace('-', '/')) }
}

/** This process, as the owner of those addresses. */
export async function ownerHere(cidrs: readonly string[]): Promise<Owner> {
  return { pid: process.pid, startTicks: (await startTicksOf(process.pid)) ?? '0', cidrs }
}

/**
 * Looks for other clusters in this network namespace that give out the same addresses. What one left that runs no more is put
 * out of force: its rules would come before ours. Its bridge keeps its ports, so that it can come back. Those that still run
 * are returned.
 */
export async function settleNeighbours(
  { table, cidrs }: { table: string; cidrs: readonly string[] },
  run: Run,
): Promise<{ removed: string[]; running: { table: string; owner: Owner }[] }> {
  const removed: string[] = []
  const running: { table: string; owner: Owner }[] = []
  for (const [other, owner] of await otherTables(table, run)) {
    if (owner && !owner.cidrs.some((theirs) => cidrs.some((ours) => overlap(theirs, ours)))) continue
    if (owner && (await startTicksOf(owner.pid)) === owner.startTicks) {
      running.push({ table: other, owner })
      continue
    }
    await run('nft', ['delete', 'table', 'ip', other])
    // The bridge has the table's name.
    for (const args of [
      ['addr', 'flush', 'dev', other],
      ['link', 'set', 'dev', other, 'down'],
    ])
      await run('ip', args).catch(ignoreMissing)
    removed.push(other)
  }
  return { removed, running }
}

async function otherTables(own: string, run: Run): Promise<Map<string, Owner | undefined>> {
  const { nftables }: { nftables: { chain?: { table: string; name: string } }[] } = JSON.parse(
    await run('nft', ['-j', 'list', 'chains', 'ip']),
  )
  const tables = new Map<string, Owner | undefined>()
  for (const { chain } of nftables) {
    if (!chain || chain.table === own || !/^gantry-[0-9a-f]{6}$/.test(chain.table)) continue
    tables.set(chain.table, readOwner(chain.name) ?? tables.get(chain.table))
  }
  return tables
}

async function startTicksOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The second field is the program's name in brackets, which may hold anything.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

/** Of two networks that overlap, the wider holds the other's address. */
function overlap(a: string, b: string): boolean {
  const [wide, narrow] = prefixOf(a) <= prefixOf(b) ? [a, b] : [b, a]
  return inCidr(wide, narrow.slice(0, narrow.indexOf('/')))
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof CommandError)) throw error
}
