import { authenticated, type TokenAuthenticator } from '../authenticator.ts'
import type { UserInfo } from '../types.ts'
import { digest } from './same-secret.ts'

/**
 * Tokens from a file of lines `token,user,uid,"group1,group2"`, the groups optional. Throws an Error for a line of
 * fewer than three columns.
 */
export function createTokenFileAuthenticator(csv: string, path: string): TokenAuthenticator {
  const users = new Map<string, UserInfo>()
  for (const record of parseCsv(csv)) {
    const [token, name, uid, groups] = record
    if (token === undefined || name === undefined || uid === undefined) {
      throw new Error(
        `token file '${path}' must have at least 3 columns (token, user name, user uid), found ${record.length}`,
      )
    }
    if (token === '') continue
    const user = { name, uid, groups: groups === undefined ? [] : groups.split(',') }
    users.set(digest(token).toString('hex'), authenticated(user))
  }
  return {
    authenticateToken(token, audiences) {
      // Found by its digest: how long that takes tells nothing about the token.
      const user = users.get(digest(token).toString('hex'))
      return user ? { user, audiences } : undefined
    },
  }
}

/** Records of a CSV text as Go's reader takes it: quotes around fields, doubled inside, empty lines left out. */
function* parseCsv(text: string): Generator<string[]> {
  let record: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (quoted) {
      if (char !== '"') field += char
      else if (text[i + 1] === '"') field += text[++i]
      else quoted = false
    } else if (char === '"' && field === '') quoted = true
    else if (char === ',') {
      record.push(field)
      field = ''
    } else if (char === '\n') {
      record.push(field.endsWith('\r') ? field.slice(0, -1) : field)
      if (record.length > 1 || record[0] !== '') yield record
      record = []
      field = ''
    } else field += char
  }
  record.push(field)
  if (record.length > 1 || record[0] !== '') yield record
}
