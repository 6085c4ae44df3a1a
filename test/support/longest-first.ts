import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Of the files that share workers, those that take longest, the longest first. */
const long = [
  'e2e/docs',
  'e2e/kubectl',
  'e2e/manifests',
  'e2e/cluster-drivers',
  'e2e/cli',
  'e2e/cli-verbs',
  'e2e/cluster-forms',
  'fuzz/requests',
  'fuzz/kinds',
  'storage/crashes',
  'simulation/day',
  'store/etcd',
  'e2e/cluster-minded',
  'e2e/cluster-nodes',
]

/**
 * Starts the long files first. On a fresh checkout nobody knows how long files take, and one that is begun last keeps one
 * worker busy for minutes while the others have nothing left to do.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
      return at < 0 ? long.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}
