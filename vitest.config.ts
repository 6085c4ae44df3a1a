import { defineConfig } from 'vitest/config'

const rooms = '{api,apiserver,client,cli,cluster,scheduler,controller-manager,node-agent,bench}'

// Unit tests stand beside the file they test and take seconds; what crosses components is in test/.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${rooms}/**/*.test.ts`],
          testTimeout: 30_000,
          // Half the time went into loading the same modules for every file: files of one worker share them.
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Servers, etcd and kubectl share two cores: one suite after the other.
          fileParallelism: false,
        },
      },
    ],
  },
})
