import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { convert } from './convert.ts'
import { interpolated, readCompose } from './read.ts'

const directory = mkdtempSync(join(tmpdir(), 'gantry-compose-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const converted = (text: string) => {
  const path = join(directory, 'compose.yaml')
  writeFileSync(path, text)
  const { file } = readCompose(path, { TAG: '2' })
  return convert(file, directory, 'shop')
}
const one = (text: string, kind: string, name: string) =>
  converted(text).objects.find((object) => object.kind === kind && object.metadata.name === name) as
    | Record<string, never>
    | undefined
// biome-ignore lint/suspicious/noExplicitAny: a wrong guess fails its test
const container = (text: string): any => (one(text, 'Deployment', 'web') as any).spec.template.spec.containers[0]
const web = (fields: string) => `services: {web: {image: "app:\${TAG}", ${fields}}}`

describe('a compose file', () => {
  test('becomes deployments, services and claims of one project', () => {
    const { objects, published } = converted(`
services:
  web:
    image: app:\${TAG}
    ports: ["8080:80", "53:53/udp"]
    depends_on: {db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}
  db:
    image: db:1
    volumes: ["data:/var/lib/db"]
  migrate: {image: app:1, command: migrate --now}
volumes: {data: {}}`)
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
      'PersistentVolumeClaim/data',
      'Deployment/web',
      'Service/web',
      'Deployment/db',
      'Service/db',
      'Job/migrate',
    ])
    expect(published).toEqual([
      { service: 'web', hostPort: '8080', port: 80 },
      { service: 'web', hostPort: '53', port: 53 },
    ])
    const [, deployment, service, db, dbService, job] = objects
    expect(deployment).toMatchObject({
      spec: {
        replicas: 1,
        template: { metadata: { annotations: { 'gantry.dev/depends-on': 'deployment/db, job/migrate' } } },
      },
    })
    expect(service?.spec).toMatchObject({
      ports: [
        { name: 'tcp-80', port: 80 },
        { name: 'udp-53', port: 53, protocol: 'UDP' },
      ],
    })
    expect(db?.spec).toMatchObject({
      strategy: { type: 'Recreate' },
      template: { spec: { volumes: [{ name: 'v0', persistentVolumeClaim: { claimName: 'data' } }] } },
    })
    // Its name leads to it, whatever it listens on.
    expect(dbService?.spec).toMatchObject({ clusterIP: 'None' })
    expect(job?.spec).toMatchObject({ template: { spec: { restartPolicy: 'OnFailure' } } })
  })

  test.each([
    [
      'environment: {A: 1, B: "x y"}',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: 'x y' },
        ],
      },
    ],
    ['environment: ["A=b=c"]', { env: [{ name: 'A', value: 'b=c' }] }],
    ['command: sh -c "echo \\"a b\\""', { args: ['sh', '-c', 'echo "a b"'] }],
    ['entrypoint: [run], working_dir: /srv', { command: ['run'], workingDir: '/srv' }],
    [
      'healthcheck: {test: curl -f localhost, interval: 5s, timeout: 2s, retries: 4}',
      {
        readinessProbe: {
          exec: { command: ['/bin/sh', '-c', 'curl -f localhost'] },
          periodSeconds: 5,
          timeoutSeconds: 2,
          failureThreshold: 4,
        },
      },
    ],
    ['healthcheck: {test: [CMD, check]}', { readinessProbe: { exec: { command: ['check'] } } }],
    [
      'deploy: {resources: {limits: {cpus: "0.5", memory: 512M}}}',
      { resources: { limits: { cpu: '0.5', memory: '512Mi' } } },
    ],
    [
      'user: "1000:1001", read_only: true',
      { securityContext: { runAsUser: 1000, runAsGroup: 1001, readOnlyRootFilesystem: true } },
    ],
    ['expose: ["90-91"]', { ports: [{ containerPort: 90 }, { containerPort: 91 }] }],
    [
      'volumes: ["./here:/there:ro", "/tmp/x"]',
      {
        volumeMounts: [
          { name: 'v0', mountPath: '/there', readOnly: true },
          { name: 'v1', mountPath: '/tmp/x' },
        ],
      },
    ],
  ])('takes over %s', (fields, wanted) => {
    expect(container(web(fields))).toMatchObject({ name: 'web', image: 'app:2', ...wanted })
  })

  test('brings files to containers as secrets and config maps', () => {
    writeFileSync(join(directory, 'key.txt'), 'precious')
    const text = `${web('secrets: [key], configs: [{source: conf, target: /etc/conf}]')}
secrets: {key: {file: key.txt}}
configs: {conf: {content: "a=b"}}`
    expect(one(text, 'Secret', 'key')).toMatchObject({ stringData: { key: 'precious' } })
    expect(one(text, 'ConfigMap', 'conf')).toMatchObject({ data: { conf: 'a=b' } })
    expect(container(text).volumeMounts).toEqual([
      { name: 'v0', mountPath: '/run/secrets/key', subPath: 'key', readOnly: true },
      { name: 'v1', mountPath: '/etc/conf', subPath: 'conf', readOnly: true },
    ])
  })

  test('says what it leaves out, and what it cannot do', () => {
    expect(converted(web('sysctls: {a: b}, networks: [front]')).warnings).toEqual(['web: sysctls is left out'])
    expect(() => converted('services: {web: {build: .}}')).toThrow('gantry image build DIR --tag NAME')
    expect(() => converted(web('volumes: ["nowhere:/x"]'))).toThrow('the volume nowhere is not among the volumes')
    expect(() => converted('services: {}')).toThrow('has no services')
  })

  test.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own
    ['${A}-$A-$$A', 'x-x-$A'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own
    ['${B:-none} ${B-none} ${C:-none} ${C-none}', 'none  none none'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's own
    ['${A:+yes}${C:+yes}', 'yes'],
  ])('fills in %s', (text, filled) => {
    expect(interpolated(text, { A: 'x', B: '' })).toBe(filled)
  })
})
