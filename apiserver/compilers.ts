import { type ExpressionUse, useCompilers } from '../api/machinery/compilers.ts'

/** Has the expressions and patterns in objects checked by what will run them. Loaded here, once, rather than with the kinds. */
export async function loadCompilers(): Promise<void> {
  const [{ compileAdmission }, { compileDeviceSelector }, { compileRule }, { patternSyntaxFault }] = await Promise.all([
    import('../api/cel/admission.ts'),
    import('../api/cel/device-selector.ts'),
    import('../api/cel/resource-rules.ts'),
    import('../api/cel/regex.ts'),
  ])
  const compile = (expression: string, use: ExpressionUse) => {
    switch (use) {
      case 'deviceSelector':
        return compileDeviceSelector(expression)
      case 'resourceRule':
        return compileRule(expression, 'bool')
      case 'resourceRuleMessage':
        return compileRule(expression, 'string')
      default:
        return compileAdmission(expression, use)
    }
  }
  useCompilers({
    expression(expression, use) {
      const compiled = compile(expression, use)
      return 'fault' in compiled ? compiled.fault : undefined
    },
    pattern: patternSyntaxFault,
  })
}
