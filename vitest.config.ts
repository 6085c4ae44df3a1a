import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

const rooms = '{api,apiserver,client,cli,cluster,scheduler,controller-manager,node-agent,dashboard,bench}'

/** Those that look at how soon things happen, and how much they take. */
const clusters = 'test/e2e/cluster-{workloads,crashes}.test.ts'
const whole = {
  globalSetup: ['test/support/build.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
}

// Unit tests stand beside the file they test and take seconds; what crosses components is in test/.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${rooms}/**/*.test.ts`],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          setupFiles: ['test/support/patience.ts'],
          expect: { poll: { timeout: 20_000 } },
          // Half the time went into loading the same modules for every file: files of one worker share them.
          isolate: false,
          // One less than there are cores is one of two.
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: [clusters],
          ...whole,
          // Each has servers and a network of its own, and waits half of its time: three keep two cores busy.
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'clusters',
          include: [clusters],
          ...whole,
          // Containers, and how soon they run: one file after the other.
          fileParallelism: false,
        },
      },
    ],
  },
})
