import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { seededRandom } from '../../scheduler/testing/faulty-api.ts'
import { startCluster } from './cluster.ts'
import { Happenings, tideSeconds } from './happenings.ts'

// Half an hour in the life of a cluster, on a clock of its own. Each time, a small cluster and a part of it: see CONTRIBUTING.md.

const isWhole = process.env.GANTRY_DAY === 'whole'
const seed = Number(process.env.GANTRY_DAY_SEED ?? 1)
const nodeCount = isWhole ? 2000 : 200
const tides = isWhole ? 12 : 4
/** Of each pod that has come and gone, once the caches with a limit are filled. */
const mostBytesLeft = isWhole ? 300 : 1000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test(`a day of ${nodeCount} nodes, seed ${seed}: no rule is broken, nobody is forgotten, and memory stays as it is`, async () => {
  const random = seededRandom(seed)
  const cluster = await startCluster(random)
  const { judge } = cluster
  const happenings = new Happenings(cluster, random, nodeCount)
  await happenings.begin()
  await cluster.pass(20_000)
  /** At low tide, when there are as many pods as at any other. */
  const memory: { heapBytes: number; ended: number }[] = []
  for (let second = 1; second <= tides * tideSeconds && judge.faults.length === 0; second++) {
    await happenings.second()
    await cluster.pass(1000)
    if (second % 5 === 0) judge.lookAtWaiting()
    if (second % tideSeconds !== 0) continue
    collectGarbage()
    memory.push({ heapBytes: process.memoryUsage().heapUsed, ended: judge.counts.ended })
    tell({ second, heapBytes: memory.at(-1)?.heapBytes, pods: judge.standing, ...judge.counts, ...happenings.counts })
  }
  await happenings.end()
  const isAtRest = () => judge.waiting === 0 && happenings.incomplete().length === 0
  for (let second = 0; second < 240 && !isAtRest(); second += 5) {
    await cluster.pass(5000)
    judge.lookAtWaiting()
  }
  const { counts, faults, waiting } = judge
  const incomplete = happenings.incomplete()
  await cluster.stop()

  expect(faults).toEqual([])
  expect(waiting).toBe(0)
  expect(incomplete).toEqual([])
  // What never happened was not tried either.
  const tried = { ...counts, ...happenings.counts, longestFittingMs: 1 }
  expect(Object.entries(tried).filter(([, number]) => number === 0)).toEqual([])
  const [warm, end] = [memory[1], memory.at(-1)]
  const bytesLeft = ((end?.heapBytes ?? 0) - (warm?.heapBytes ?? 0)) / ((end?.ended ?? 0) - (warm?.ended ?? 0))
  tell({ bytesLeft })
  expect(bytesLeft).toBeLessThan(mostBytesLeft)
}, 3_600_000)

/** Whoever waits for the whole day hears how it goes. */
function tell(facts: object): void {
  if (isWhole) process.stdout.write(`${JSON.stringify(facts)}\n`)
}
