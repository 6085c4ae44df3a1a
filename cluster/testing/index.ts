export * as resources from '../../client/resources.ts'
export { FakeClock } from '../../client/testing/fake-clock.ts'
export { startCluster } from './start-cluster.ts'
