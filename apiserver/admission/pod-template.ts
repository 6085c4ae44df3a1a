import type { PodTemplateSpec } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'

const ofSpec = (object: AnyObject) => (object.spec as { template?: PodTemplateSpec } | undefined)?.template

/** Kinds that make pods, by group and plural, with where their template lies. */
const templates: Readonly<Record<string, (object: AnyObject) => PodTemplateSpec | undefined>> = {
  '/podtemplates': (object) => object.template as PodTemplateSpec | undefined,
  'batch/cronjobs': (object) =>
    (object.spec as { jobTemplate?: { spec?: { template?: PodTemplateSpec } } } | undefined)?.jobTemplate?.spec
      ?.template,
  '/replicationcontrollers': ofSpec,
  'apps/replicasets': ofSpec,
  'apps/deployments': ofSpec,
  'apps/statefulsets': ofSpec,
  'apps/daemonsets': ofSpec,
  'batch/jobs': ofSpec,
}

/** Finds the template in objects of the kind; undefined for a kind that makes no pods. */
export const templateOf = ({
  group,
  plural,
}: Pick<Resource, 'group' | 'plural'>): ((object: AnyObject) => PodTemplateSpec | undefined) | undefined =>
  templates[`${group}/${plural}`]
