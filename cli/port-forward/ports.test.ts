import { expect, test } from 'vitest'
import { parsePorts, targetPortOf } from './ports.ts'

const pod = {
  metadata: { name: 'web-1' },
  spec: { containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] }] },
}
const service = {
  metadata: { name: 'web' },
  spec: { ports: [{ name: 'web', port: 80, targetPort: 'http' }] },
}
const forwarding = (text: string, of?: typeof service) => targetPortOf(parsePorts([text])[0]!, pod, of)

test('ports of a pod, by number and by name', () => {
  expect(forwarding('5432')).toEqual({ local: 5432, remote: 5432 })
  expect(forwarding('9000:http')).toEqual({ local: 9000, remote: 8080 })
  expect(forwarding(':80')).toEqual({ local: 0, remote: 80 })
  expect(() => forwarding('db')).toThrow("does not have a named port 'db'; it has http")
})

test('ports of a service lead to those of its pods', () => {
  expect(forwarding('80', service)).toEqual({ local: 80, remote: 8080 })
  expect(forwarding('8000:web', service)).toEqual({ local: 8000, remote: 8080 })
  expect(() => forwarding('81', service)).toThrow('does not have a service port 81; it has 80')
})

test.each(['a:80', '1:2:3', ':', '70000:80'])('%s is no port', (text) => {
  expect(() => parsePorts([text])).toThrow(/port/)
})
