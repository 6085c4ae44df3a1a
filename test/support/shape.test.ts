import { describe, expect, test } from 'vitest'
import { readPage } from './doc-page.ts'
import { firstMissing } from './shape.ts'

describe('what a page shows and what a program printed', () => {
  test('are the same but for ages, ids, addresses, times and sizes', () => {
    const shown = [
      'NAME                     READY   STATUS    RESTARTS   AGE   IP           NODE',
      'hello-747874b7f5-445c7   1/1     Running   0          6s    10.244.0.3   laptop',
    ]
    const printed = `NAME                    READY   STATUS    RESTARTS   AGE    IP            NODE
hello-5d6bc74b7-x2x9z   1/1     Running   0          2m6s   10.244.0.13   laptop\n`
    expect(firstMissing(shown, printed)).toBeUndefined()
    expect(firstMissing(shown, printed.replace('Running', 'Pending'))).toMatch(
      'hello-HASH-ID 1/1 Running 0 WHILE ADDRESS',
    )
    expect(firstMissing(shown, `${printed}one more`)).toBe('nothing after it, but there was: one more')
    expect(firstMissing(['saved 41 objects in 0.1 s'], 'saved 128 objects in 2.3 s')).toBeUndefined()
  })

  test('may differ where the page has an ellipsis', () => {
    expect(firstMissing(['a', '…', 'z …'], 'a\nb\nc\nz and more\n')).toBeUndefined()
    expect(firstMissing(['a', '…'], 'a\nb\n')).toBeUndefined()
    expect(firstMissing(['a', 'z'], 'a\nb\nz\n')).toBe('z')
  })
})

test('a page is read as its reader would type it', () => {
  const page = `Some words.

\`\`\`console
$ kubectl get pods
NAME
$ kubectl create -f - <<'EOF'
{"a": 1}
EOF
created
\`\`\`

<!-- not run: needs three machines -->
\`\`\`sh
one --flag \\
  --other      # remark
two -p '
{"x": 1}'
# a remark
\`\`\`

\`\`\`yaml
# web.yaml
kind: Pod
\`\`\`
`
  const notRun = 'needs three machines'
  expect(readPage(page)).toEqual([
    { kind: 'command', line: 4, text: 'kubectl get pods', shown: ['NAME'] },
    { kind: 'command', line: 6, text: `kubectl create -f - <<'EOF'\n{"a": 1}\nEOF`, shown: ['created'] },
    { kind: 'command', line: 14, text: 'one --flag \\\n  --other      # remark', notRun },
    { kind: 'command', line: 16, text: `two -p '\n{"x": 1}'`, notRun },
    { kind: 'file', path: 'web.yaml', text: '# web.yaml\nkind: Pod\n' },
  ])
})
