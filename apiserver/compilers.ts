import { useCompilers } from '../api/machinery/compilers.ts'

/** Has the expressions in objects checked by what will run them. Loaded here, once, rather than with the kinds. */
export async function loadCompilers(): Promise<void> {
  const [{ compileAdmission }, { compileDeviceSelector }] = await Promise.all([
    import('../api/cel/admission.ts'),
    import('../api/cel/device-selector.ts'),
  ])
  useCompilers({
    expression(expression, use) {
      const compiled = use === 'deviceSelector' ? compileDeviceSelector(expression) : compileAdmission(expression, use)
      return 'fault' in compiled ? compiled.fault : undefined
    },
  })
}
