const refused =
  /User "([^"]*)" cannot (\S+) resource "([^"/]*)(?:\/([^"]*))?" in API group "([^"]*)"(?: in the namespace "([^"]*)")?/

/** The commands that would allow what was refused for want of a right, ended by a newline; empty for other refusals. */
export function grantHint(message: string): string {
  const [match, user = '', verb = '', plural = '', subresource, group, namespace] = refused.exec(message) ?? []
  if (match === undefined) return ''
  if (user === 'system:anonymous')
    return 'Nobody is logged in: the kubeconfig names no user, or none that the server knows. `gantry config view` shows it\n'
  const account = /^system:serviceaccount:([^:]+):(.+)$/.exec(user)
  const resource = `${plural}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`
  const name = [account?.[2] ?? user, verb, plural, subresource]
    .flatMap((part) => part?.toLowerCase().replace(/[^a-z0-9.]+/g, '-') ?? [])
    .join('-')
  const subject = account ? `--serviceaccount=${account[1]}:${account[2]}` : `--user=${quoted(user)}`
  const [role, where] = namespace === undefined ? ['clusterrole', ''] : ['role', ` -n ${namespace}`]
  return [
    'Whoever administers the cluster can allow it:',
    `  gantry create ${role} ${name} --verb=${verb} --resource=${resource}${where}`,
    `  gantry create ${role}binding ${name} --${role}=${name} ${subject}${where}`,
    '',
  ].join('\n')
}

const quoted = (word: string): string => (/^[\w@.:/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
