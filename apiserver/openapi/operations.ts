import { hasPart, type Resource, type Verb } from '../../api/machinery/resource.ts'

/** One operation on one path, in a form that both versions of OpenAPI can be written from. */
export interface Operation {
  path: string
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  action: string
  operationId: string
  description: string
  /** Query parameters. */
  parameters: readonly Parameter[]
  /** In the path. */
  pathParameters: readonly Parameter[]
  body?: 'object' | 'patch' | 'deleteOptions' | { kind: string; group: string; version: string }
  answer: 'object' | 'list' | 'status' | { kind: string; group: string; version: string }
  gvk: { group: string; version: string; kind: string }
}

export interface Parameter {
  name: string
  type: 'string' | 'integer' | 'boolean'
  description: string
}

const parameter = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  type,
  description,
})

const pretty = parameter('pretty', 'string', "If 'true', the answer is indented.")
const dryRun = parameter('dryRun', 'string', "'All' goes through every step of the request but stores nothing.")
const fieldManager = parameter(
  'fieldManager',
  'string',
  'Who makes the change, as recorded in managedFields. At most 128 printable characters.',
)
const fieldValidation = parameter(
  'fieldValidation',
  'string',
  'What becomes of unknown and duplicate fields: Ignore drops them, Warn (the default) drops them with a warning, Strict refuses the request.',
)
const force = parameter('force', 'boolean', 'Take over fields that other managers own. Only for apply patches.')
const listParameters = [
  pretty,
  parameter('allowWatchBookmarks', 'boolean', 'Send bookmarks now and then, from which a watch can be resumed.'),
  parameter('continue', 'string', 'Go on with a list, from the token of the page before.'),
  parameter('fieldSelector', 'string', 'Only objects whose fields are so.'),
  parameter('labelSelector', 'string', 'Only objects whose labels are so.'),
  parameter('limit', 'integer', 'At most so many objects in one answer; a token leads to the rest.'),
  parameter('resourceVersion', 'string', 'From which version on the answer must be.'),
  parameter('resourceVersionMatch', 'string', 'How resourceVersion is meant in a list: Exact or NotOlderThan.'),
  parameter(
    'sendInitialEvents',
    'boolean',
    'Begin a watch with the objects as they stand, and mark their end with a bookmark.',
  ),
  parameter('timeoutSeconds', 'integer', 'End the list or watch after so many seconds.'),
  parameter('watch', 'boolean', 'Stay, and send every change.'),
]
const deleteParameters = [
  pretty,
  dryRun,
  parameter('gracePeriodSeconds', 'integer', 'Seconds until the object is gone; 0 is at once.'),
  parameter('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  parameter('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
]
const namespaceParameter = parameter('namespace', 'string', 'The namespace of the object.')
const nameParameter = parameter('name', 'string', 'The name of the object.')

/** Every operation on a kind in one version. */
export function operationsOf(resource: Resource, group: string, version: string): Operation[] {
  const { plural, kind, namespaced, verbs } = resource
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const item = `${collection}/{name}`
  const inCollection = namespaced ? [namespaceParameter] : []
  const onItem = [...inCollection, nameParameter]
  const gvk = { group, version, kind }
  const id = (verb: string, suffix = '') =>
    `${verb}${camel(group, version)}${namespaced ? 'Namespaced' : ''}${kind}${suffix}`
  const operation = (verb: Verb, rest: Omit<Operation, 'gvk'>): Operation[] =>
    verbs.includes(verb) ? [{ ...rest, gvk }] : []
  const operations = [
    ...operation('list', {
      path: collection,
      method: 'get',
      action: 'list',
      operationId: id('list'),
      description: `list or watch objects of kind ${kind}`,
      parameters: listParameters,
      pathParameters: inCollection,
      answer: 'list',
    }),
    ...operation('create', {
      path: collection,
      method: 'post',
      action: 'post',
      operationId: id('create'),
      description: `create a ${kind}`,
      parameters: [pretty, dryRun, fieldManager, fieldValidation],
      pathParameters: inCollection,
      body: 'object',
      answer: 'object',
    }),
    ...operation('deletecollection', {
      path: collection,
      method: 'delete',
      action: 'deletecollection',
      operationId: id('deleteCollection'),
      description: `delete a collection of ${kind}`,
      parameters: [
        ...listParameters.filter(({ name }) => name !== 'watch' && name !== 'allowWatchBookmarks' && name !== 'pretty'),
        ...deleteParameters,
      ],
      pathParameters: inCollection,
      body: 'deleteOptions',
      answer: 'status',
    }),
    ...operation('get', {
      path: item,
      method: 'get',
      action: 'get',
      operationId: id('read'),
      description: `read the specified ${kind}`,
      parameters: [pretty],
      pathParameters: onItem,
      answer: 'object',
    }),
    ...operation('update', {
      path: item,
      method: 'put',
      action: 'put',
      operationId: id('replace'),
      description: `replace the specified ${kind}`,
      parameters: [pretty, dryRun, fieldManager, fieldValidation],
      pathParameters: onItem,
      body: 'object',
      answer: 'object',
    }),
    ...operation('patch', {
      path: item,
      method: 'patch',
      action: 'patch',
      operationId: id('patch'),
      description: `partially update the specified ${kind}`,
      parameters: [pretty, dryRun, fieldManager, fieldValidation, force],
      pathParameters: onItem,
      body: 'patch',
      answer: 'object',
    }),
    ...operation('delete', {
      path: item,
      method: 'delete',
      action: 'delete',
      operationId: id('delete'),
      description: `delete a ${kind}`,
      parameters: deleteParameters,
      pathParameters: onItem,
      body: 'deleteOptions',
      answer: 'status',
    }),
  ]
  if (namespaced && verbs.includes('list')) {
    operations.push({
      path: `${root}/${plural}`,
      method: 'get',
      action: 'list',
      operationId: `list${camel(group, version)}${kind}ForAllNamespaces`,
      description: `list or watch objects of kind ${kind}`,
      parameters: listParameters,
      pathParameters: [],
      answer: 'list',
      gvk,
    })
  }
  return [...operations, ...subresourceOperations(resource, group, version, item, onItem, id)]
}

const methods: Record<string, Operation['method']> = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
}
const actions: Record<string, string> = { get: 'get', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }
/** Subresources that lead elsewhere. */
const connecting = new Set(['attach', 'exec', 'portforward', 'proxy'])
const idVerbs: Record<string, string> = {
  get: 'read',
  create: 'create',
  update: 'replace',
  patch: 'patch',
  delete: 'delete',
}

function subresourceOperations(
  resource: Resource,
  group: string,
  version: string,
  item: string,
  pathParameters: readonly Parameter[],
  id: (verb: string, suffix?: string) => string,
): Operation[] {
  const own = { kind: resource.kind, group, version }
  const parts = resource.subresources.map((info) => ({
    name: info.name,
    verbs: info.verbs,
    type: { kind: info.kind, group: info.group ?? group, version: info.version ?? version },
  }))
  const view = ['get', 'patch', 'update']
  const has = (name: string) => parts.some((part) => part.name === name)
  if (hasPart(resource, version, 'status') && !has('status')) parts.push({ name: 'status', verbs: view, type: own })
  if (hasPart(resource, version, 'scale') && !has('scale')) {
    parts.push({ name: 'scale', verbs: view, type: { kind: 'Scale', group: 'autoscaling', version: 'v1' } })
  }
  return parts.flatMap(({ name, verbs, type }) =>
    verbs.flatMap((verb): Operation[] => {
      const method = methods[verb]
      if (!method) return []
      const same = type.kind === own.kind && type.group === group && type.version === version
      const answer = same ? 'object' : type
      const write = [pretty, dryRun, fieldManager, fieldValidation]
      return [
        {
          path: `${item}/${name}`,
          method,
          action: connecting.has(name) ? 'connect' : (actions[verb] as string),
          operationId: id(idVerbs[verb] as string, name[0]?.toUpperCase() + name.slice(1)),
          description: `${verb} ${name} of the specified ${resource.kind}`,
          parameters: verb === 'get' ? [pretty] : verb === 'patch' ? [...write, force] : write,
          pathParameters,
          ...(verb === 'get' || verb === 'delete' ? {} : { body: verb === 'patch' ? ('patch' as const) : answer }),
          answer,
          gvk: type,
        },
      ]
    }),
  )
}

/** `AppsV1`, `CoreV1`: how operations of a group are called. */
export function camel(group: string, version: string): string {
  const words = (group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')).split(/[.-]/)
  return [...words, version].map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('')
}
