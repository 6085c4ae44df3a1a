import { beforeEach, describe, expect, it } from 'vitest'
import type { BatchItem, BatchResult } from '../api/gantry/batch.ts'
import { StatusError } from '../api/machinery/errors.ts'
import { Submissions } from './submissions.ts'

const path = '/api/v1/namespaces/default/events'
const item = (name: string): BatchItem => ({ path, object: { metadata: { name } } })
const nameOf = ({ object }: BatchItem) => (object as { metadata: { name: string } }).metadata.name
const turn = () => new Promise((resolve) => setImmediate(resolve))

let sent: string[][]
let answers: (() => void)[]
let nowMs: number
let refusal: StatusError | undefined
let resultOf: (item: BatchItem) => BatchResult
let submissions: Submissions

beforeEach(() => {
  sent = []
  answers = []
  nowMs = 0
  refusal = undefined
  resultOf = (one) => ({ code: 201, metadata: { name: nameOf(one) } })
  const served = async () => {
    await new Promise<void>((resolve) => answers.push(resolve))
  }
  submissions = new Submissions({
    async batch(items) {
      sent.push(items.map(nameOf))
      await served()
      if (refusal) throw refusal
      return { results: items.map(resultOf) }
    },
    async single(one) {
      sent.push([`alone ${nameOf(one)}`])
      await served()
      return { name: nameOf(one) }
    },
    now: () => nowMs,
  })
})

const answerAll = async () => {
  for (const answer of answers.splice(0)) answer()
  await turn()
}
const submit = (...names: string[]) => names.map((name) => submissions.submit(item(name)))

describe('submissions', () => {
  it('go alone when they come alone, and together when they come together', async () => {
    const [one] = submit('a')
    await turn()
    expect(sent).toEqual([['alone a']])
    await answerAll()
    expect(await one).toEqual({ name: 'a' })
    const all = submit('b', 'c', 'd')
    await turn()
    expect(sent.slice(1)).toEqual([['b', 'c', 'd']])
    await answerAll()
    expect(await Promise.all(all)).toEqual([{ name: 'b' }, { name: 'c' }, { name: 'd' }])
  })

  it('gather while two requests are under way', async () => {
    void submit('a')
    await turn()
    void submit('b')
    await turn()
    for (const name of ['c', 'd']) {
      void submit(name)
      await turn()
    }
    expect(sent).toEqual([['alone a'], ['alone b']])
    await answerAll()
    expect(sent.slice(2)).toEqual([['c', 'd']])
  })

  it('are at most a hundred in one', async () => {
    void submit(...Array.from({ length: 150 }, (_, i) => `n${i}`))
    await turn()
    expect(sent.map((some) => some.length)).toEqual([100, 50])
  })

  it('are refused each by itself', async () => {
    const status = { kind: 'Status', code: 409, reason: 'AlreadyExists', message: 'it is there' }
    resultOf = (one) => (nameOf(one) === 'b' ? { code: 409, status } : { code: 201 })
    const all = submit('a', 'b', 'c')
    const outcomes = Promise.allSettled(all)
    await turn()
    await answerAll()
    expect((await outcomes).map(({ status: is }) => is)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await expect(all[1]).rejects.toMatchObject({ code: 409, reason: 'AlreadyExists', message: 'it is there' })
  })

  it('go one by one to a server that knows no batches, which is asked again later', async () => {
    refusal = new StatusError(404, 'NotFound', 'no such path')
    const all = submit('a', 'b')
    await turn()
    await answerAll()
    expect(sent).toEqual([['a', 'b'], ['alone a'], ['alone b']])
    await answerAll()
    expect(await Promise.all(all)).toEqual([{ name: 'a' }, { name: 'b' }])
    void submit('c', 'd')
    await turn()
    expect(sent.slice(3)).toEqual([['alone c'], ['alone d']])
    await answerAll()
    refusal = undefined
    nowMs += 300_000
    void submit('e', 'f')
    await turn()
    expect(sent.slice(5)).toEqual([['e', 'f']])
  })

  it('are not sent again when nobody knows what became of them', async () => {
    refusal = new StatusError(504, 'Timeout', 'too late')
    const all = Promise.allSettled(submit('a', 'b'))
    await turn()
    await answerAll()
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(sent).toEqual([['a', 'b']])
  })

  it('in the background let others go first, for a while', async () => {
    void submit('first')
    await turn()
    const told = submissions.submit(item('told'), true)
    void submit('second')
    await turn()
    void submit('third')
    await turn()
    expect(sent).toEqual([['alone first'], ['alone second']])
    answers.shift()?.()
    await turn()
    expect(sent.slice(2)).toEqual([['alone third']])
    nowMs += 5000
    void submit('fourth')
    await turn()
    answers.shift()?.()
    await turn()
    expect(sent.slice(3)).toEqual([['fourth', 'told']])
    await answerAll()
    expect(await told).toEqual({ name: 'told' })
  })

  it('in the background go at once when nothing else is about', async () => {
    void submissions.submit(item('told'), true)
    await turn()
    expect(sent).toEqual([['alone told']])
    void submit('first')
    await turn()
    void submissions.submit(item('told later'), true)
    await turn()
    expect(sent.slice(1)).toEqual([['alone first']])
    await answerAll()
    expect(sent.slice(2)).toEqual([['alone told later']])
  })
})
