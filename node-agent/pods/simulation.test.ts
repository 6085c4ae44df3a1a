import { expect, it } from 'vitest'
import { CriError } from '../runtime/cri.ts'
import { PodRig } from '../testing/pod-rig.ts'

/** A small generator: the whole run follows from its seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const rounds = 120

/**
 * Pods come and go, containers end, calls of the runtime and of the API fail or lose their answer, the agent starts again:
 * whatever happens, no container runs twice at a time, what runs once is started once, and when the faults end everything
 * becomes what it should be.
 */
it.each([1, 2, 3, 4, 5, 6])('whatever fails, pods end up as they should (seed %i)', async (seed) => {
  const random = randomFrom(seed)
  let trouble = true
  const rig: PodRig = new PodRig({
    faults: {
      async fault(method) {
        if (random() < 0.3) await rig.clock.sleep(Math.floor(random() * 300))
        if (trouble && random() < 0.1) throw new CriError(method, 'unavailable', 'made to fail')
      },
      loses: (method) => trouble && method !== 'stopContainer' && random() < 0.03,
    },
    apiFault: () => {
      if (trouble && random() < 0.05) throw Object.assign(new Error('made to fail'), { code: 'ECONNRESET' })
    },
  })
  const wanted = new Map<string, 'Always' | 'Never'>()
  const finished = new Set<string>()
  let made = 0
  const steps: [number, () => Promise<void> | void][] = [
    [
      0.3,
      async () => {
        const restartPolicy = random() < 0.7 ? 'Always' : 'Never'
        const name = `p${made++}`
        await rig.create(name, { restartPolicy, terminationGracePeriodSeconds: 2 })
        wanted.set(name, restartPolicy)
      },
    ],
    [
      0.15,
      async () => {
        const name = [...wanted.keys()][Math.floor(random() * wanted.size)]
        if (name === undefined) return
        await rig.delete(name)
        wanted.delete(name)
      },
    ],
    [
      0.2,
      () => {
        const running = rig.cri.running()
        const victim = running[Math.floor(random() * running.length)]
        if (!victim) return
        finished.add(victim.config.labels?.['io.kubernetes.pod.name'] ?? '')
        rig.cri.exit(victim.id, random() < 0.5 ? 0 : 1)
      },
    ],
    [0.03, () => rig.startAgent()],
  ]
  const check = (): void => {
    const names = rig.cri
      .running()
      .map(({ config }) => `${config.labels?.['io.kubernetes.pod.uid']}/${config.metadata?.name}`)
    expect(new Set(names).size, `two at a time: ${names}`).toBe(names.length)
  }
  // The first list must come in: what is tested is what follows.
  trouble = false
  await rig.startAgent()
  trouble = true
  for (let round = 0; round < rounds; round++) {
    for (const [chance, step] of steps) {
      if (random() < chance) await rig.through(Promise.resolve(step()))
    }
    await rig.pass(Math.floor(random() * 2000))
    check()
  }
  trouble = false
  const settled = async (): Promise<boolean> => {
    check()
    for (const [name, policy] of wanted) {
      const phase = (await rig.get(name))?.status?.phase
      const done = policy === 'Never' && finished.has(name) && (phase === 'Succeeded' || phase === 'Failed')
      const lost = policy === 'Never' && phase === 'Failed'
      if (phase !== 'Running' && !done && !lost) return false
    }
    const names = new Set([...rig.cri.sandboxes.values()].map(({ config }) => config.metadata?.name ?? ''))
    return [...names].every((name) => wanted.has(name))
  }
  await rig.until('all as it should be', settled, 1_500_000, 1000)
  for (const [name, policy] of wanted) {
    const starts = rig.cri.starts.filter((start) => start === `${name}/main`).length
    if (policy === 'Never') expect(starts, `${name} runs once`).toBeLessThanOrEqual(1)
  }
  await rig.through(rig.close())
})
