/**
 * What the stores alone can do: durable commits a second by 1, 32 and 64 writers, linearizable reads, a list of 10,000,
 * a burst of 50,000 objects of 1 KB created, patched and deleted, and the process's memory after each. Beside them what
 * the disk can do (an append and an fdatasync at a time), as nothing here can be faster with one writer.
 *
 * Arguments: `embedded`, `etcd` (which it starts itself), or `http://host:port` of an etcd to measure; default both.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../apiserver/storage/open.ts'
import type { Store } from '../apiserver/storage/store.ts'
import { startEtcd } from '../test/support/etcd.ts'

const value = Buffer.alloc(1024, '{"kind":"ConfigMap"}')
const writeMs = 3000
const burst = 50_000

const wanted = process.argv.slice(2)
const chosen = wanted.length > 0 ? wanted : ['embedded', 'etcd']
const directory = mkdtempSync(join(tmpdir(), 'gantry-bench-'))
try {
  await disk()
  for (const name of chosen) await measureNamed(name)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function measureNamed(name: string): Promise<void> {
  if (name === 'embedded') {
    await measure(name, await openStore({ kind: 'embedded', directory: join(directory, 'store') }), true)
    return
  }
  const cluster = name === 'etcd' ? await startEtcd() : undefined
  try {
    const endpoints = cluster?.endpoints ?? [name]
    await measure(name, await openStore({ kind: 'etcd', endpoints, prefix: `/bench-${Date.now()}` }), false)
  } finally {
    await cluster?.stop()
  }
}

async function measure(name: string, store: Store, withBurst: boolean): Promise<void> {
  console.log(`\n${name}: ${memory()} when open`)
  let created = 0
  const create = () => store.commit([{ key: `/configmaps/default/${created++}`, value, expect: 'absent' }])
  for (const writers of [1, 32, 64]) report(`commits, ${writers} writers`, await rate(writers, create))
  for (const readers of [1, 64])
    report(`gets, ${readers} readers`, await rate(readers, () => store.get(`/configmaps/default/${created >> 1}`)))
  report('revision(), 64 callers', await rate(64, () => store.revision()))
  while (created < 10_000) await Promise.all(Array.from({ length: 64 }, create))
  const began = performance.now()
  const { entries } = await store.list('/configmaps/', { limit: 10_000 })
  console.log(`  list of ${entries.length}: ${(performance.now() - began).toFixed(0)} ms; ${memory()}`)
  if (withBurst) await measureBurst(store)
  await store.close()
}

async function measureBurst(store: Store): Promise<void> {
  const key = (i: number) => `/burst/default/${i}`
  const steps: [string, (i: number) => Promise<unknown>][] = [
    ['created', (i) => store.commit([{ key: key(i), value, expect: 'absent' }])],
    ['patched', async (i) => store.commit([{ key: key(i), value, expect: (await store.get(key(i)))!.modRevision }])],
    ['deleted', (i) => store.commit([{ key: key(i), value: null, expect: 'any' }])],
  ]
  for (const [name, step] of steps) {
    let next = 0
    const began = performance.now()
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (next < burst) await step(next++)
      }),
    )
    const perSecond = burst / ((performance.now() - began) / 1000)
    console.log(`  ${burst} ${name}: ${perSecond.toFixed(0)}/s; ${memory()}`)
  }
  await store.compact(await store.revision())
  await new Promise((resolve) => setTimeout(resolve, 12_000))
  console.log(`  at rest, all compacted: ${memory()}; ${((await store.sizeBytes()) / 1e6).toFixed(0)} MB on disk`)
}

async function rate(parallel: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  const end = began + writeMs
  let count = 0
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      // A turn of the loop for others now and then: some of this work never waits.
      while (performance.now() < end) {
        await work()
        if (++count % 256 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }),
  )
  return count / ((performance.now() - began) / 1000)
}

async function disk(): Promise<void> {
  const file = await open(join(directory, 'raw'), 'w')
  const perSecond = await rate(1, async () => {
    await file.write(value)
    await file.datasync()
  })
  await file.close()
  console.log('the disk:')
  report('appends with fdatasync', perSecond)
}

function report(what: string, perSecond: number): void {
  console.log(`  ${what}: ${perSecond.toFixed(0)}/s`)
}

/** The process's resident memory, and how much of it is its own rather than mapped files. */
function memory(): string {
  const status = readFileSync('/proc/self/status', 'utf8')
  const megabytes = (name: string) => (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024).toFixed(0)
  return `${megabytes('VmRSS')} MB resident (${megabytes('RssAnon')} MB its own)`
}
