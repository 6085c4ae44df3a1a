import { expect, it } from 'vitest'
import { faults } from '../machinery/kind-testing.ts'
import { localSubjectAccessReviews, selfSubjectAccessReviews, subjectAccessReviews } from './index.ts'

const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'n' }
const review = (spec: object, metadata: object = {}) => ({ metadata, spec })

it.each([
  ['of a user', subjectAccessReviews, review({ user: 'a', resourceAttributes }), []],
  [
    'of nobody',
    subjectAccessReviews,
    review({ resourceAttributes }),
    ['spec.user: Invalid value: "": at least one of user or group must be specified'],
  ],
  [
    'about nothing',
    selfSubjectAccessReviews,
    review({}),
    [
      'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ],
  ],
  [
    'about two things',
    selfSubjectAccessReviews,
    review({ resourceAttributes, nonResourceAttributes: { path: '/' } }),
    [
      'spec.nonResourceAttributes: Invalid value: {"path":"/"}: cannot be specified in combination with resourceAttributes',
    ],
  ],
  [
    'with a name',
    selfSubjectAccessReviews,
    review({ resourceAttributes }, { name: 'x' }),
    ['metadata: Invalid value: {"name":"x"}: must be empty'],
  ],
  ['in a namespace', localSubjectAccessReviews, review({ user: 'a', resourceAttributes }, { namespace: 'n' }), []],
  [
    'in another namespace',
    localSubjectAccessReviews,
    review({ user: 'a', resourceAttributes }, { namespace: 'm' }),
    ['spec.resourceAttributes.namespace: Invalid value: "n": must match metadata.namespace'],
  ],
  [
    'by an empty selector',
    selfSubjectAccessReviews,
    review({ resourceAttributes: { ...resourceAttributes, labelSelector: {} } }),
    [
      'spec.resourceAttributes.labelSelector.requirements: Required value: when spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required',
    ],
  ],
  [
    'by a selector without values',
    selfSubjectAccessReviews,
    review({
      resourceAttributes: {
        ...resourceAttributes,
        fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In' }] },
      },
    }),
    [
      "spec.resourceAttributes.fieldSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  ],
])('a review %s', (_, kind, object, expected) => {
  expect(faults(kind, object)).toEqual(expected)
})
