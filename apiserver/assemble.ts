import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { defaultTokenRequest, tokenRequestSchema } from '../api/authentication/index.ts'
import { loadSigningKey } from '../api/authentication/signing-keys.ts'
import { markNamespaceTerminating, namespaceIsHeld } from '../api/core/namespace.ts'
import type { Namespace } from '../api/generated/types.ts'
import type { AnyObject, Stored } from '../api/machinery/object.ts'
import { createAdmissionPlugins } from './admission/plugins.ts'
import { createAuthenticator } from './auth/authenticator.ts'
import { authorizerForModes } from './auth/authorizer.ts'
import { createNodeAuthorizer } from './auth/node/node-authorizer.ts'
import { NodeGraph } from './auth/node/node-graph.ts'
import { RbacAuthorizer } from './auth/rbac/authorizer.ts'
import { createEscalationCheck } from './auth/rbac/escalation.ts'
import { createReviews } from './auth/reviews.ts'
import { createBootstrapTokenAuthenticator } from './auth/tokens/bootstrap-token.ts'
import { discoveryDocuments } from './auth/tokens/discovery-documents.ts'
import { createTokenIssuer, type TokenIssuer } from './auth/tokens/issue.ts'
import { createServiceAccountAuthenticator } from './auth/tokens/service-account.ts'
import { createTokenFileAuthenticator } from './auth/tokens/token-file.ts'
import { requestToken } from './auth/tokens/token-request.ts'
import type { ApiServerConfig } from './config.ts'
import { dashboardPaths } from './dashboard/paths.ts'
import { createSessions } from './dashboard/sessions.ts'
import { createDiscovery } from './discovery/discovery.ts'
import { Aggregator } from './extensions/aggregation/aggregator.ts'
import { Definitions, definitionHooks } from './extensions/custom-resources/definitions.ts'
import { readBody } from './handlers/body.ts'
import type { ReviewHandler, Scope, SubresourceHandler } from './handlers/context.ts'
import { decodeAs, fieldValidationOf, parseBody } from './handlers/decode-body.ts'
import { isDryRun } from './handlers/parameters.ts'
import { sendObject } from './handlers/respond.ts'
import { serveSnapshot } from './handlers/snapshot.ts'
import { historyHandlers } from './history/moments.ts'
import { keptLogHandlers } from './kept-logs/handlers.ts'
import { prometheusGroups } from './metrics-api/custom-metrics.ts'
import { UsageHistory } from './metrics-api/history/history.ts'
import { historyPath } from './metrics-api/history/serve.ts'
import { createMeter } from './metrics-api/meter.ts'
import { prometheusAt } from './metrics-api/prometheus.ts'
import { resourceMetricsHandlers } from './metrics-api/resource-metrics.ts'
import { type MetricRule, parseRules } from './metrics-api/rules.ts'
import type { NodeAgentClient } from './node-agents/connection.ts'
import { createOpenApi } from './openapi/openapi.ts'
import type { Pki } from './pki/ensure.ts'
import type { RegistryHooks } from './registry/write.ts'
import type { ServerCore, ServerParts } from './server.ts'
import { serviceHooks } from './services/allocator.ts'
import type { IpRange } from './services/ip-range.ts'
import { handleBatch } from './subresources/batch.ts'
import { handleBinding } from './subresources/binding.ts'
import { createEviction } from './subresources/eviction.ts'
import { nodeAgentHandlers } from './subresources/node-agent.ts'
import { partHandlers } from './subresources/parts.ts'
import { handleScale } from './subresources/scale.ts'
import { handleTransaction } from './subresources/transaction.ts'

/** Puts the parts of an API server together, as its configuration says. Throws an Error for what makes no sense. */
export function assembleParts(
  core: ServerCore,
  config: ApiServerConfig,
  pki: Pki,
  ranges: readonly IpRange[],
  onError: (error: unknown, what: string) => void,
): ServerParts {
  const { client, lookup, now } = core
  const signingKey = loadSigningKey(pki.serviceAccount.privateKeyPem)
  const issuer = createTokenIssuer(signingKey, config.serviceAccountIssuer)

  let rbac: RbacAuthorizer | undefined
  const authorizer = authorizerForModes(config.authorizationModes, {
    node: () => createNodeAuthorizer(new NodeGraph(client, lookup)),
    rbac: () => {
      rbac = new RbacAuthorizer(client, lookup)
      return rbac
    },
  })
  const sessions = createSessions(core.store, now)
  const authenticator = createAuthenticator({
    tokens: [
      ...(config.dashboard ? [sessions.authenticator] : []),
      ...(config.tokenAuthFile
        ? [createTokenFileAuthenticator(readFileSync(config.tokenAuthFile, 'utf8'), config.tokenAuthFile)]
        : []),
      createServiceAccountAuthenticator({
        client,
        lookup,
        keys: [signingKey],
        issuers: [config.serviceAccountIssuer],
        apiAudiences: config.apiAudiences,
        now,
      }),
      createBootstrapTokenAuthenticator(client, lookup('', 'secrets'), now),
    ],
    apiAudiences: config.apiAudiences,
    anonymous: config.anonymousAuth,
  })
  const admission = createAdmissionPlugins(
    {
      client,
      lookup,
      lookupKind: (group, kind) =>
        core.resources.find((resource) => resource.group === group && resource.kind === kind),
      authorizer,
      now,
      sleep: (ms) => delay(ms),
    },
    { enable: config.enableAdmission, disable: config.disableAdmission },
  )
  if (rbac) admission.push(createEscalationCheck(rbac, authorizer))

  const documents = discoveryDocuments([signingKey], {
    issuer: config.serviceAccountIssuer,
    jwksUri: `${config.serviceAccountIssuer}/openid/v1/jwks`,
  })
  const local = config.prometheusUrl
    ? prometheusGroups(core, rulesIn(config.metricsRules), prometheusAt(config.prometheusUrl))
    : []
  const agents: NodeAgentClient = {
    cert: pki.apiserverKubeletClient.certPem,
    key: pki.apiserverKubeletClient.keyPem,
    // Addresses before names: a node's name need not resolve on the machine of the API server.
    addressTypes: ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'],
  }
  const meter = createMeter(core, agents, onError)
  const history =
    config.resourceMetrics && config.metricsHistorySeconds > 0
      ? new UsageHistory({
          meter,
          traffic: () => core.traffic.take(now()),
          now,
          keepMs: config.metricsHistorySeconds * 1000,
          onError: (error) => onError(error, 'measuring nodes for the page'),
        })
      : undefined
  const aggregator = new Aggregator({
    core,
    own: { cert: pki.frontProxyClient.certPem, key: pki.frontProxyClient.keyPem },
    local,
    changed: () => served(),
    onError: (error) => onError(error, 'looking at the API servers behind this one'),
  })
  const discovery = createDiscovery(
    () => core.resources,
    () => [...aggregator.groups.values()],
  )
  const openapi = createOpenApi(
    () => core.resources,
    () => aggregator.documents(),
  )
  const served = () => {
    discovery.invalidate()
    openapi.invalidate()
  }
  core.kinds.onChange(served)
  return {
    authenticator,
    authorizer,
    admission,
    hooks: new Map<string, RegistryHooks>([
      ['/namespaces', namespaceHooks],
      ['apiextensions.k8s.io/customresourcedefinitions', definitionHooks],
      [
        '/services',
        serviceHooks({
          ranges,
          nodePorts: config.serviceNodePortRange,
          ipAddresses: () => core.registry('networking.k8s.io', 'ipaddresses'),
          store: core.store,
          now,
        }),
      ],
    ]),
    subresources: new Map<string, SubresourceHandler>([
      ['*/*/scale', handleScale],
      ['/bindings/', handleBinding],
      ['/pods/binding', handleBinding],
      ['/pods/eviction', createEviction()],
      ['/serviceaccounts/token', tokenHandler(core, config, issuer)],
      ['gantry.dev/transactions/', handleTransaction],
      ['gantry.dev/batches/', handleBatch],
      ...Object.entries(historyHandlers),
      ...Object.entries(partHandlers),
      ...Object.entries(nodeAgentHandlers(agents)),
      ...Object.entries(keptLogHandlers(agents)),
      ...Object.entries(resourceMetricsHandlers(meter, now)),
    ]),
    groups: aggregator.groups,
    reviews: new Map(
      [...createReviews({ authorizer, authenticator, apiAudiences: config.apiAudiences })].map(
        ([name, review]): [string, ReviewHandler] => [
          name,
          (object, { user, info }) => review(object, { user, namespace: info.namespace, nowMs: now() }),
        ],
      ),
    ),
    documents: {
      discovery,
      openapi,
      issuer: { configuration: () => documents.configuration, keys: () => documents.jwks },
    },
    paths: [
      aggregator.paths,
      serveSnapshot(core.store),
      ...(config.dashboard
        ? [...(history ? [historyPath(history, authorizer)] : []), dashboardPaths(pageDirectory(), sessions)]
        : []),
    ],
    extensions: new Definitions(core, onError),
    background: [aggregator, ...(history && config.dashboard ? [history] : [])],
    healthChecks: [],
  }
}

/** Where the build puts the page: beside the bundle that was started. */
const pageDirectory = (): string => join(dirname(realpathSync(resolve(process.argv[1] ?? 'bin/gantry'))), '../dist/ui')

function rulesIn(file: string): MetricRule[] {
  try {
    return parseRules(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`--metrics-rules ${file}: ${(error as Error).message}`)
  }
}

/** A namespace stays until its own finalizers are gone: its contents go first. */
const namespaceHooks: RegistryHooks = {
  holdsDeletion: (object) => namespaceIsHeld(object as unknown as Stored<Namespace> & { spec: object }),
  markDeleting: (object) => markNamespaceTerminating(object as unknown as Stored<Namespace> & { spec: object }),
}

function tokenHandler(core: ServerCore, config: ApiServerConfig, issuer: TokenIssuer): SubresourceHandler {
  return async (scope: Scope) => {
    const { info, req, res, media, warn } = scope
    const { value, faults } = parseBody(await readBody(req), req.headers['content-type'], tokenRequestSchema)
    const request = decodeAs(tokenRequestSchema, value, 'TokenRequest', 'v1', {
      mode: fieldValidationOf(info.query),
      faults,
      warn,
    })
    defaultTokenRequest(request as unknown as Parameters<typeof defaultTokenRequest>[0])
    const answer = await requestToken(
      request as unknown as Parameters<typeof requestToken>[0],
      { client: core.client, lookup: core.lookup, issuer, apiAudiences: config.apiAudiences },
      {
        namespace: info.namespace,
        name: info.name,
        nowMs: core.now(),
        warn,
        validate: (object) =>
          scope.server.admission.run({
            operation: 'CREATE',
            resource: scope.endpoint.resource,
            subresource: 'token',
            namespace: info.namespace,
            name: info.name,
            object: object as unknown as AnyObject,
            user: scope.user,
            dryRun: isDryRun(info.query),
            warn,
          }),
      },
    )
    const object: AnyObject = { ...answer, kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' }
    sendObject(res, 201, object, media)
  }
}
