import { describe, expect, it } from 'vitest'
import { EventRecorder } from './events.ts'
import { FakeClock } from './testing/fake-clock.ts'
import type { Api, SubmitOptions, Submittable } from './types.ts'

/** Takes events, and answers each when it is told to. */
function slowApi() {
  const sent: { message: string; options: SubmitOptions | undefined; answer: () => void }[] = []
  const api: Pick<Api, 'submit'> = {
    submit(_ref, object: Submittable, options) {
      const { message } = object as { message: string }
      return new Promise((resolve) => sent.push({ message, options, answer: () => resolve({}) }))
    },
  }
  return { api: api as Api, sent }
}

const about = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name, uid: `uid-${name}` })
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('events', () => {
  it('of one object are written in their order, of several side by side, all in the background', async () => {
    const { api, sent } = slowApi()
    const recorder = new EventRecorder(api, { component: 'test' }, { clock: new FakeClock() })
    recorder.event(about('a'), 'Normal', 'Pulling', 'first of a')
    recorder.event(about('a'), 'Normal', 'Pulled', 'second of a')
    for (let i = 0; i < 200; i++) recorder.event(about(`p${i}`), 'Normal', 'Scheduled', `of p${i}`)
    await turn()
    expect(sent.map(({ message }) => message).slice(0, 3)).toEqual(['first of a', 'of p0', 'of p1'])
    expect(sent).toHaveLength(201)
    expect(sent.every(({ options }) => options?.background === true)).toBe(true)
    for (const { answer } of sent) answer()
    await turn()
    expect(sent.slice(201).map(({ message }) => message)).toEqual(['second of a'])
    sent.at(-1)?.answer()
    await recorder.flush()
  })

  it('that cannot be written are dropped, and the next of the object goes on', async () => {
    const messages: string[] = []
    const api: Pick<Api, 'submit'> = {
      async submit(_ref, object: Submittable) {
        messages.push((object as { message: string }).message)
        if (messages.length === 1) throw new Error('the server is gone')
        return {}
      },
    }
    const recorder = new EventRecorder(api as Api, { component: 'test' }, { clock: new FakeClock() })
    recorder.event(about('a'), 'Warning', 'Failed', 'one')
    recorder.event(about('a'), 'Warning', 'Failed', 'two')
    await recorder.flush()
    expect(messages).toEqual(['one', 'two'])
  })
})
