/** Those of the flags that every verb understands which take a value; the others stand alone. */
const withValue = [
  '--namespace',
  '--kubeconfig',
  '--context',
  '--server',
  '--token',
  '--request-timeout',
  '--as',
  '--as-group',
  '--as-uid',
  '--as-user-extra',
  '--cluster',
  '--user',
  '--certificate-authority',
  '--client-certificate',
  '--client-key',
  '--tls-server-name',
  '--v',
]
const alone = ['--insecure-skip-tls-verify', '--warnings-as-errors']
const shortWithValue = /^-[nsv]/

/**
 * The flags that every verb understands may stand before it: `-n shop get pods`, `config --kubeconfig F view`. Those, with
 * their values, and the words that follow. Of any other flag nobody knows here whether a value follows: it ends them.
 */
export function leadingFlags(words: readonly string[]): { flags: readonly string[]; rest: readonly string[] } {
  let end = 0
  while (end < words.length) {
    const [flag = '', value] = (words[end] as string).split(/=(.*)/s)
    if (alone.includes(flag)) end += 1
    else if (withValue.includes(flag)) end += value === undefined ? 2 : 1
    else if (shortWithValue.test(flag)) end += flag.length === 2 && value === undefined ? 2 : 1
    else break
  }
  return { flags: words.slice(0, end), rest: words.slice(end) }
}
