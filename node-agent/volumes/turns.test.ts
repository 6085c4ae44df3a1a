import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

it('lets work on one thing wait for its turn, and no other work', async () => {
  const turns = new Turns()
  const done: string[] = []
  let finish = (): void => undefined
  const first = turns.take('a', async () => {
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    done.push('first')
    throw new Error('failed')
  })
  const second = turns.take('a', async () => void done.push('second'))
  await turns.take('b', async () => void done.push('other'))
  finish()
  await expect(first).rejects.toThrow('failed')
  await second
  expect(done).toEqual(['other', 'first', 'second'])
})
