import { openEmbedded } from '../../apiserver/storage/embedded/store.ts'

// Writes until the store refuses, says so, waits for a signal that there is room again, and writes on.
const [directory = ''] = process.argv.slice(1)
const store = await openEmbedded({ directory })
const value = Buffer.alloc(100_000, 'v')
let n = 0
const room = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()))
const keepAlive = setInterval(() => undefined, 1000)

async function write(): Promise<void> {
  await store.commit([{ key: `/k/${n}`, value, expect: 'absent' }])
  console.log(`ack ${n}`)
  n++
}

try {
  for (;;) await write()
} catch (error) {
  const { name, unknown, message } = error as { name: string; unknown?: boolean; message: string }
  console.log(`full ${name} ${unknown} ${message}`)
}
const standing = (await store.list('/k/')).entries.length
console.log(`standing ${standing}`)
n = standing
await room
for (let i = 0; i < 5; i++) await write()
console.log(`again ${(await store.list('/k/')).entries.length}`)
clearInterval(keepAlive)
await store.close()
