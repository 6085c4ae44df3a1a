import { useCompilers } from '../api/machinery/compilers.ts'

/** Has the expressions in objects checked by what will run them. Loaded here, once, rather than with the kinds. */
export async function loadCompilers(): Promise<void> {
  const { compileDeviceSelector } = await import('../api/cel/device-selector.ts')
  useCompilers({
    expression(expression, use) {
      if (use !== 'deviceSelector') return undefined
      const compiled = compileDeviceSelector(expression)
      return 'fault' in compiled ? compiled.fault : undefined
    },
  })
}
