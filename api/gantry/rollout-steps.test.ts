import { describe, expect, test } from 'vitest'
import { formatFieldError } from '../machinery/field-errors.ts'
import { parseRolloutSteps } from './rollout-steps.ts'

const faults = (text: string) => parseRolloutSteps(text, 'a').errors.map(formatFieldError)

describe('the steps of a rollout', () => {
  test('are a list in YAML or JSON', () => {
    const yaml = `
- {hold: 1, probe: http://web/healthz, for: 30s}
- hold: 50%
  within: 5m
  prometheus: {url: 'http://prometheus.monitoring:9090', query: 'rate(x[1m])', below: 0.01}
`
    expect(parseRolloutSteps(yaml, 'a')).toEqual({
      steps: [
        { hold: 1, forMs: 30_000, withinMs: undefined, question: { ask: 'probe', url: 'http://web/healthz' } },
        {
          hold: '50%',
          forMs: 0,
          withinMs: 300_000,
          question: {
            ask: 'prometheus',
            url: 'http://prometheus.monitoring:9090',
            query: 'rate(x[1m])',
            below: 0.01,
          },
        },
      ],
      errors: [],
    })
    expect(faults('[{"hold": "25%", "probe": "https://web.other.svc.cluster.local:8443/ready?deep=1"}]')).toEqual([])
  })

  test.each([
    ['', 'a: Invalid value: "": must be a list of steps'],
    ['[]', 'a: Invalid value: "[]": must be a list of steps'],
    ['{hold: 1', 'a: Invalid value: "{hold: 1": is no YAML: '],
    ['[1]', 'a[0]: Invalid value: 1: must be an object'],
    ['[{probe: http://x}]', 'a[0].hold: Required value'],
    ['[{hold: 1.5, probe: http://x}]', 'a[0].hold: Invalid value: 1.5: must be a number of pods, or a percentage'],
    ['[{hold: 101%, probe: http://x}]', 'a[0].hold: Invalid value: "101%": must not be greater than 100%'],
    ['[{hold: x, probe: http://x}]', 'a[0].hold: Invalid value: "x": a valid percent string'],
    ['[{hold: 1}]', 'a[0]: Required value: must ask something: probe or prometheus'],
    ['[{hold: 1, probe: http://x, prometheus: {}}]', 'a[0].prometheus: Forbidden: may not be set together with probe'],
    ['[{hold: 1, probe: x}]', 'a[0].probe: Invalid value: "x": must be an http or https URL'],
    ['[{hold: 1, probe: "file:///x"}]', 'a[0].probe: Invalid value: "file:///x": must be an http or https URL'],
    ['[{hold: 1, probe: http://x, for: soon}]', 'a[0].for: Invalid value: "soon": must be a duration, such as 30s'],
    ['[{hold: 1, probe: http://x, for: 2m, within: 1m}]', 'a[0].within: Invalid value: "1m": must not be shorter than'],
    ['[{hold: 1, probe: http://x, until: 1m}]', 'a[0]: Unsupported value: "until": supported values: "for", "hold"'],
    ['[{hold: 1, prometheus: {url: http://x, below: 1}}]', 'a[0].prometheus.query: Required value'],
    ['[{hold: 1, prometheus: {query: x, below: 1}}]', 'a[0].prometheus.url: Required value'],
    ['[{hold: 1, prometheus: {url: http://x, query: x}}]', 'a[0].prometheus: Required value: must have a bound'],
    ['[{hold: 1, prometheus: {url: http://x, query: x, below: y}}]', 'a[0].prometheus.below: Invalid value: "y"'],
  ])('%s is refused', (text, fault) => {
    expect(faults(text)[0]).toContain(fault)
  })

  test.each([
    'http://127.1',
    'http://10.0.0.1',
    'http://web.other.example',
    'http://localhost.',
    'http://[::1]:80',
    'http://169.254.169.254/latest',
    'http://0',
    'http://[::ffff:127.0.0.1]',
  ])('%s is not asked', (url) => {
    expect(faults(`[{hold: 1, probe: "${url}"}]`)[0]).toContain('must name a service')
  })
})
