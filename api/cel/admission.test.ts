import { describe, expect, it } from 'vitest'
import { compileAdmission } from './admission.ts'
import { structsAsMaps } from './structs.ts'
import { celValue, jsonValue, lazily } from './values.ts'

const object = {
  metadata: { name: 'web', labels: { app: 'shop' } },
  spec: { replicas: 3, ratio: 0.5, ports: [80, 443] },
}

async function evaluate(expression: string): Promise<unknown> {
  const compiled = compileAdmission(expression, 'variable')
  if ('fault' in compiled) throw new Error(compiled.fault)
  return jsonValue(await compiled.run(lazily({ object: () => celValue(object), oldObject: () => null })))
}

describe('expressions of admission', () => {
  it.each([
    ['object.spec.replicas + 1 == 4', true],
    ['object.spec.ratio < 1.0', true],
    ['object.spec.replicas == 3 && oldObject == null', true],
    ["has(object.spec.paused) || 'app' in object.metadata.labels", true],
    ['object.?spec.?paused.orValue(false)', false],
    ['object.spec.ports.exists(p, p > 400)', true],
    ['object.spec.ports.sum() + object.spec.ports.max() - object.spec.ports.min()', 886],
    ['object.spec.ports.indexOf(443)', 1],
    ['object.spec.ports.isSorted()', true],
    ["'%s: %d of %.1f, %x'.format([object.metadata.name, 3, 0.25, 255])", 'web: 3 of 0.3, ff'],
    ["'%s %s'.format([object.spec.ports, {'a': 1}])", '[80, 443] {"a":1}'],
    ["quantity('1Gi').isGreaterThan(quantity('1M'))", true],
    ["object.metadata.name.matches('^w')", true],
    ['jsonpatch.escapeKey("a/b~c")', 'a~1b~0c'],
  ])('%s', async (expression, expected) => {
    expect(await evaluate(expression)).toEqual(expected)
  })

  it.each([
    ['matchCondition', 'object.spec.replicas', undefined],
    ['matchCondition', 'size(object.spec.ports)', 'must evaluate to bool or the unknown type, not int'],
    ['validationMessage', 'true', 'must evaluate to string or the unknown type, not bool'],
    ['validation', 'nobody == 1', "compilation failed: ERROR: <input>:1:1: undeclared reference to 'nobody'"],
    ['validation', 'object. == 1', 'compilation failed'],
  ] as const)('as a %s, %s may be refused', (use, expression, fault) => {
    const compiled = compileAdmission(expression, use)
    expect('fault' in compiled ? compiled.fault : undefined).toEqual(fault && expect.stringContaining(fault))
  })
})

describe('messages', () => {
  it.each([
    ['Object{spec: Object.spec{replicas: 1}}', '{"spec": {"replicas": 1}}'],
    ['[JSONPatch{op: "add", path: "/a"}]', '[{"op": "add", "path": "/a"}]'],
    ['Object.spec.item { name: x ? y : z }', '{ "name": x ? y : z }'],
    ['Object{a: {b: c}, d: [{e: Object.f{g: "}, h: i"}}]}', '{"a": {b: c}, "d": [{e: {"g": "}, h: i"}}]}'],
    ['object.Object{}', 'object.Object{}'],
    ['object.spec == "Object{a: 1}"', 'object.spec == "Object{a: 1}"'],
  ])('%s', (expression, expected) => {
    expect(structsAsMaps(expression)).toBe(expected)
  })
})
