import { describe, expect, test } from 'vitest'
import { type Dependent, dependencyCycle, dependencyId, parseDependencies } from './depends-on.ts'

describe('the annotation depends-on', () => {
  test.each([
    ['service/db', ['service/db']],
    [' svc/db ,job/migrate,', ['service/db', 'job/migrate']],
    ['Deploy/a, sts/b, ds/c, po/d', ['deployment/a', 'statefulset/b', 'daemonset/c', 'pod/d']],
  ])('%j names %j', (text, ids) => {
    const { dependencies, faults } = parseDependencies(text)
    expect([dependencies.map(dependencyId), faults]).toEqual([ids, []])
  })

  test.each([
    ['db', '"db" is not KIND/NAME, with KIND one of service, job, deployment, statefulset, daemonset, pod'],
    ['configmap/x', '"configmap/x" is not KIND/NAME'],
    ['service/a/b', '"service/a/b" is not KIND/NAME'],
    ['service/', '"service/" is not KIND/NAME'],
    ['service/A_b', '"service/A_b" names no object: a lowercase RFC 1123 subdomain'],
    [' , ', 'names nothing to wait for'],
  ])('%j is refused', (text, fault) => {
    expect(parseDependencies(text).faults[0]).toContain(fault)
  })
})

describe('a ring of dependencies', () => {
  const dependent = (id: string, on: string, app = id): Dependent => ({
    id,
    labels: { app },
    dependencies: on === '' ? [] : parseDependencies(on).dependencies,
  })
  const service = (name: string, app: string) => ({ name, selector: { app } })

  test('is named from where it was asked, through services and the workloads behind them', () => {
    const dependents = [
      dependent('deployment/web', 'service/api', 'web'),
      dependent('deployment/api', 'job/migrate, service/web', 'api'),
      dependent('job/migrate', ''),
    ]
    const services = [service('web', 'web'), service('api', 'api')]
    expect(dependencyCycle('deployment/api', dependents, services)).toEqual([
      'deployment/api',
      'service/web',
      'deployment/web',
      'service/api',
      'deployment/api',
    ])
    expect(dependencyCycle('service/web', dependents, services)).toEqual([
      'service/web',
      'deployment/web',
      'service/api',
      'deployment/api',
      'service/web',
    ])
    expect(dependencyCycle('job/migrate', dependents, services)).toBeUndefined()
  })

  test('is one around itself', () => {
    expect(dependencyCycle('deployment/web', [dependent('deployment/web', 'deployment/web')], [])).toEqual([
      'deployment/web',
      'deployment/web',
    ])
  })

  test('is none where a service has other pods that can start', () => {
    const dependents = [dependent('deployment/web', 'service/web', 'web'), dependent('deployment/seed', '', 'web')]
    expect(dependencyCycle('deployment/web', dependents, [service('web', 'web')])).toBeUndefined()
  })

  test('is none for what waits for a ring, or for what is not there', () => {
    const dependents = [
      dependent('deployment/a', 'deployment/b'),
      dependent('deployment/b', 'deployment/a'),
      dependent('deployment/c', 'deployment/a, service/later'),
    ]
    expect(dependencyCycle('deployment/c', dependents, [])).toBeUndefined()
    expect(dependencyCycle('deployment/b', dependents, [])).toEqual(['deployment/b', 'deployment/a', 'deployment/b'])
  })
})
