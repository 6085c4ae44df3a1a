import { defineConfig } from 'vitest/config'

// Unit tests stand beside the file they test and take seconds; what crosses components is in test/.
export default defineConfig({
  test: {
    include: ['{api,apiserver,client,cli,cluster,scheduler,controller-manager,node-agent,bench}/**/*.test.ts'],
    testTimeout: 20_000,
  },
})
