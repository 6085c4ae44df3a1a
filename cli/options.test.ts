import { expect, test } from 'vitest'
import { serve } from './testing/serving.ts'

test('the flags that every command has are told, those too that their help leaves out', async () => {
  const server = await serve()
  try {
    const { code, out } = await server.gantry('options')
    expect(code).toBe(0)
    expect(out).toMatch(/^ {2}-n, --namespace <name> +the namespace to work in$/m)
    expect(out).toMatch(/^ {2}--as <user> +act as somebody else$/m)
  } finally {
    server.stop()
  }
})
