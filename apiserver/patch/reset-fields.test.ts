import { describe, expect, it } from 'vitest'
import { defineResource } from '../../api/machinery/resource.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { type FieldSet, fieldSet } from './field-set.ts'
import { dropReset } from './managed-fields.ts'
import { resetFieldsOf } from './reset-fields.ts'

const kind = (group: string, version: string, name: string, plural: string, definition?: string) =>
  defineResource({
    group,
    version,
    kind: name,
    plural,
    namespaced: true,
    schema: definition ? builtinSchema(definition) : { type: 'object' },
    strategy: { status: true },
  })
const deployments = kind('apps', 'v1', 'Deployment', 'deployments', 'io.k8s.api.apps.v1.Deployment')
const pods = kind('', 'v1', 'Pod', 'pods', 'io.k8s.api.core.v1.Pod')
const flowSchemas = kind(
  'flowcontrol.apiserver.k8s.io',
  'v1',
  'FlowSchema',
  'flowschemas',
  'io.k8s.api.flowcontrol.v1.FlowSchema',
)
const custom = kind('test', 'v1', 'Thing', 'things')

const all: FieldSet = fieldSet(
  ['f:metadata', 'f:labels', 'f:a'],
  ['f:metadata', 'f:ownerReferences', 'k:{"uid":"u"}'],
  ['f:spec', 'f:containers', 'k:{"name":"c"}'],
  ['f:spec', 'f:containers', 'k:{"name":"c"}', 'f:image'],
  ['f:spec', 'f:containers', 'k:{"name":"c"}', 'f:resources', 'f:limits', 'f:cpu'],
  ['f:spec', 'f:ephemeralContainers', 'k:{"name":"e"}', 'f:image'],
  ['f:status', 'f:phase'],
)
const steps = (set: FieldSet): string[] =>
  Object.entries(set).flatMap(([name, node]) => [name, ...Object.keys(node).map((below) => `${name}.${below}`)])

describe('what a write cannot own', () => {
  it.each([
    [
      'a deployment',
      deployments,
      '',
      [
        'f:metadata',
        'f:metadata.f:labels',
        'f:metadata.f:ownerReferences',
        'f:spec',
        'f:spec.f:containers',
        'f:spec.f:ephemeralContainers',
      ],
    ],
    [
      'the status of a deployment',
      deployments,
      'status',
      ['f:metadata', 'f:metadata.f:ownerReferences', 'f:status', 'f:status.f:phase'],
    ],
    ['the status of a pod', pods, 'status', ['f:metadata', 'f:metadata.f:labels', 'f:status', 'f:status.f:phase']],
    ['the status of a flow schema', flowSchemas, 'status', ['f:status', 'f:status.f:phase']],
    ['the status of a custom resource', custom, 'status', ['f:status', 'f:status.f:phase']],
    ['the ephemeral containers of a pod', pods, 'ephemeralcontainers', ['f:spec', 'f:spec.f:ephemeralContainers']],
    ['the resize of a pod', pods, 'resize', ['f:spec', 'f:spec.f:containers']],
  ])('through %s', (_, resource, subresource, left) => {
    expect(steps(dropReset(all, resetFieldsOf(resource, subresource)))).toEqual(left)
  })

  it('leaves a resize the resources alone', () => {
    expect(dropReset(all, resetFieldsOf(pods, 'resize'))).toEqual(
      fieldSet(['f:spec', 'f:containers', 'k:{"name":"c"}', 'f:resources', 'f:limits', 'f:cpu']),
    )
  })
})
