import { describe, expect, it } from 'vitest'
import { parseContainerfile } from './containerfile.ts'

const one = (text: string) => {
  const { line: _line, text: _text, ...rest } = parseContainerfile(`FROM scratch\n${text}`)[1]!
  return rest
}

describe('a Containerfile', () => {
  it.each([
    ['COPY a b /app/', { kind: 'COPY', sources: ['a', 'b'], target: '/app/' }],
    ['COPY --chmod=755 ["a file", "/bin/x"]', { kind: 'COPY', sources: ['a file'], target: '/bin/x', mode: 0o755 }],
    ['RUN echo hi && ls', { kind: 'RUN', words: ['/bin/sh', '-c', 'echo hi && ls'] }],
    ['run ["ls", "-l"]', { kind: 'RUN', words: ['ls', '-l'] }],
    ['CMD [not json', { kind: 'CMD', words: ['/bin/sh', '-c', '[not json'] }],
    [
      'ENV A=1 B="two words" C=\'x y\' D=a\\ b',
      {
        kind: 'ENV',
        pairs: [
          ['A', '1'],
          ['B', 'two words'],
          ['C', 'x y'],
          ['D', 'a b'],
        ],
      },
    ],
    ['ENV GREETING hello there', { kind: 'ENV', pairs: [['GREETING', 'hello there']] }],
    ['EXPOSE 80 53/udp', { kind: 'EXPOSE', ports: ['80/tcp', '53/udp'] }],
    ['USER 1000:1000', { kind: 'USER', value: '1000:1000' }],
    ['WORKDIR /srv', { kind: 'WORKDIR', value: '/srv' }],
    ['RUN one \\\n  # a remark between\n  two', { kind: 'RUN', words: ['/bin/sh', '-c', 'one two'] }],
  ])('reads %j', (text, expected) => {
    expect(one(text)).toEqual(expected)
  })

  it.each([
    ['', 'it must begin with FROM'],
    ['RUN ls', 'it must begin with FROM'],
    ['FROM a\nADD x y', 'line 2: ADD is not among what can be built'],
    ['FROM a\n\nFROM b', 'line 3: only one stage can be built'],
    ['FROM a\nCOPY x', 'line 2: COPY needs a source and a target'],
    ['FROM a\nCOPY --from=b x y', 'line 2: COPY --from cannot be done'],
    ['FROM a\nRUN', 'line 2: RUN needs something after it'],
  ])('refuses %j', (text, message) => {
    expect(() => parseContainerfile(text)).toThrow(message)
  })
})
