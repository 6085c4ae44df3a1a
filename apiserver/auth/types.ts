/** Who makes a request. */
export interface UserInfo {
  name: string
  uid?: string
  groups: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
}

/** What a request carries to prove who makes it. */
export interface Credentials {
  bearerToken?: string
  /** The verified client certificate's subject: CN is the user, O the groups. */
  certificate?: { commonName: string; organizations: readonly string[]; fingerprint256: string }
}

/**
 * Tells who makes a request. undefined: no credentials that this authenticator knows. Throws a StatusError 401 for
 * credentials of its kind that are wrong.
 */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<UserInfo | undefined> | UserInfo | undefined
}

/** A question to an authorizer, upstream's attributes. Exactly one of `resource` and `path` is non-empty. */
export interface AuthorizationAttributes {
  user: UserInfo
  /** get, list, watch, create, update, patch, delete, deletecollection, or a lower-case HTTP method for paths, or a special verb (bind, escalate, impersonate, approve, sign, use, attest). */
  verb: string
  group: string
  resource: string
  subresource: string
  name: string
  namespace: string
  path: string
  /** Of a list, watch or deletecollection, as the query gives it. Nodes may list what is theirs by it. */
  fieldSelector?: string
}

export interface Decision {
  allowed: boolean
  /** Goes into the Forbidden message or a SubjectAccessReview's status. */
  reason: string
  evaluationError?: string
}

export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision>
  /** Everything the user may do in a namespace, for SelfSubjectRulesReview. */
  rulesFor(user: UserInfo, namespace: string): ResolvedRules
}

export interface ResolvedRules {
  resourceRules: { verbs: string[]; apiGroups: string[]; resources: string[]; resourceNames: string[] }[]
  nonResourceRules: { verbs: string[]; nonResourceURLs: string[] }[]
  incomplete: boolean
  evaluationError?: string
}
