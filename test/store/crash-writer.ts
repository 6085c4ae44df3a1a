import { openEmbedded } from '../../apiserver/storage/embedded/store.ts'

// Writes for ever, printing each acknowledged commit as `writer counter revision`, until it is killed. Each commit puts
// one number under three keys, deletes what it put three numbers before, and now and then adds something that expires.
const [directory = '', first = '0'] = process.argv.slice(1)
const store = await openEmbedded({ directory, historyMaxBytes: 1 << 20, historyIntervalMs: 20 })
console.log(`open ${await store.revision()}`)

await Promise.all(
  Array.from({ length: 16 }, async (_, writer) => {
    for (let n = Number(first); ; n++) {
      const value = Buffer.from(`${n} `.repeat(1 + ((n * 37 + writer) % 300)))
      const revision = await store.commit([
        { key: `/w/${writer}/a`, value, expect: 'any' },
        { key: `/w/${writer}/b`, value, expect: 'any' },
        { key: `/n/${writer}/${n}`, value, expect: 'absent' },
        { key: `/n/${writer}/${n - 3}`, value: null, expect: 'any' },
        ...(n % 10 === 0 ? [{ key: `/t/${writer}/${n}`, value, expect: 'any' as const, ttlSeconds: 1 }] : []),
      ])
      process.stdout.write(`${writer} ${n} ${revision}\n`)
    }
  }),
)
