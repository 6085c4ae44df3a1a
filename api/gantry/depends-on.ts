import { nameIsDNSSubdomain } from '../machinery/names.ts'

/** On a pod or its template: what must be ready before it starts, such as `service/db, job/migrate`. */
export const dependsOnAnnotation = 'gantry.dev/depends-on'
/** The scheduling gate that holds such a pod until then. */
export const dependenciesGate = 'gantry.dev/dependencies'
/** The condition of the pod that says what it waits for. */
export const dependenciesCondition = 'gantry.dev/DependenciesReady'

export type DependencyKind = 'service' | 'job' | 'deployment' | 'statefulset' | 'daemonset' | 'pod'

/** One thing waited for, in the pod's own namespace. */
export interface Dependency {
  kind: DependencyKind
  name: string
}

/** Kinds as kubectl lets them be spelled. */
const spellings: Readonly<Record<DependencyKind, readonly string[]>> = {
  service: ['services', 'svc'],
  job: ['jobs'],
  deployment: ['deployments', 'deploy'],
  statefulset: ['statefulsets', 'sts'],
  daemonset: ['daemonsets', 'ds'],
  pod: ['pods', 'po'],
}

const kindOf = new Map<string, DependencyKind>(
  (Object.keys(spellings) as DependencyKind[]).flatMap((kind) =>
    [kind, ...spellings[kind]].map((word): [string, DependencyKind] => [word, kind]),
  ),
)

/** `service/db`. */
export const dependencyId = ({ kind, name }: Dependency): string => `${kind}/${name}`

/** Reads the annotation. What cannot be read is told in `faults`, and left out. */
export function parseDependencies(text: string): { dependencies: Dependency[]; faults: string[] } {
  const dependencies: Dependency[] = []
  const faults: string[] = []
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue
    const [word = '', name = '', ...rest] = item.split('/')
    const kind = kindOf.get(word.toLowerCase())
    if (!kind || rest.length > 0 || name === '') {
      faults.push(`${JSON.stringify(item)} is not KIND/NAME, with KIND one of ${Object.keys(spellings).join(', ')}`)
    } else if (nameIsDNSSubdomain(name, false).length > 0) {
      faults.push(`${JSON.stringify(item)} names no object: ${nameIsDNSSubdomain(name, false)[0]}`)
    } else dependencies.push({ kind, name })
  }
  if (dependencies.length === 0 && faults.length === 0) faults.push('names nothing to wait for')
  return { dependencies, faults }
}

/** Something that makes pods, or a pod of its own: `deployment/web`. */
export interface Dependent {
  id: string
  labels: Readonly<Record<string, string>>
  dependencies: readonly Dependency[]
}

export interface SelectingService {
  name: string
  selector: Readonly<Record<string, string>>
}

interface Vertex {
  waitsFor: readonly string[]
  /** One of them is enough: a service is ready with the first of its pods. */
  any: boolean
}

/**
 * The ring of dependencies that `start` would be part of, and in which none could ever start: `service/a`, `deployment/b`,
 * `service/a`. Undefined if there is none. What is not there yet may still come, and counts as able to start.
 */
export function dependencyCycle(
  start: string,
  dependents: readonly Dependent[],
  services: readonly SelectingService[],
): string[] | undefined {
  const graph = new Map<string, Vertex>(
    dependents.map(({ id, dependencies }) => [id, { waitsFor: dependencies.map(dependencyId), any: false }]),
  )
  for (const { name, selector } of services) {
    const picks = Object.entries(selector)
    const picked = dependents.filter(({ labels }) => picks.every(([key, value]) => labels[key] === value))
    if (picks.length > 0 && picked.length > 0) {
      graph.set(`service/${name}`, { waitsFor: picked.map(({ id }) => id), any: true })
    }
  }
  return pathBack(start, stuck(graph))
}

/** The part of the graph that can never start. */
function stuck(graph: ReadonlyMap<string, Vertex>): Map<string, Vertex> {
  const left = new Map(graph)
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const [id, { waitsFor, any }] of left) {
      const able = (other: string) => !left.has(other)
      if (any ? waitsFor.some(able) : waitsFor.every(able)) left.delete(id)
    }
  }
  return left
}

function pathBack(start: string, graph: ReadonlyMap<string, Vertex>): string[] | undefined {
  const seen = new Set<string>()
  const walk = (id: string, path: readonly string[]): string[] | undefined => {
    for (const next of graph.get(id)?.waitsFor ?? []) {
      if (next === start) return [...path, next]
      if (seen.has(next) || !graph.has(next)) continue
      seen.add(next)
      const found = walk(next, [...path, next])
      if (found) return found
    }
    return undefined
  }
  return walk(start, [start])
}
