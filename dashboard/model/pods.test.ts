import { expect, test } from 'vitest'
import { type PodObject, viewOf } from './pods.ts'

const pod = (status: object, spec: object = {}): PodObject =>
  ({ metadata: { name: 'a' }, spec: { containers: [{ name: 'main' }], ...spec }, status }) as unknown as PodObject
const container = (state: object, more: object = {}) => ({
  phase: 'Running',
  containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state, ...more }],
})

test.each<[string, PodObject, string, string]>([
  ['runs', pod(container({ running: {} }, { ready: true })), 'good', ''],
  [
    'has no room',
    pod({
      phase: 'Pending',
      conditions: [
        { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' },
      ],
    }),
    'bad',
    '0/1 nodes are available',
  ],
  ['is being made', pod(container({ waiting: { reason: 'ContainerCreating' } })), 'busy', ''],
  [
    'crashes',
    pod(
      container(
        { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
        { lastState: { terminated: { exitCode: 3, reason: 'Error' } } },
      ),
    ),
    'bad',
    'main: back-off 10s; it ended with exit code 3 (Error)',
  ],
  [
    'lacks its image',
    pod(container({ waiting: { reason: 'ErrImagePull', message: 'no such image' } })),
    'bad',
    'main: no such image',
  ],
  [
    'is done',
    pod({
      phase: 'Succeeded',
      ...{
        containerStatuses: [
          { name: 'main', restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
        ],
      },
    }),
    'over',
    '',
  ],
  [
    'failed',
    pod({
      phase: 'Failed',
      containerStatuses: [{ name: 'main', restartCount: 0, state: { terminated: { exitCode: 1, reason: 'Error' } } }],
    }),
    'bad',
    'main ended with exit code 1 (Error)',
  ],
])('a pod that %s', (_, of, health, why) => {
  expect(viewOf(of)).toMatchObject({ health, why })
})
