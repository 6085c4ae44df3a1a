import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource, ServedVersion } from '../../api/machinery/resource.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import type { AdmissionChain } from '../admission/chain.ts'
import type { Authorizer, UserInfo } from '../auth/types.ts'
import type { WatchView } from '../extensions/custom-resources/conversion/watch-view.ts'
import { managerOf } from '../patch/managed-fields.ts'
import type { AmendingCommitter } from '../registry/amendments.ts'
import type { StoreFeed } from '../registry/feed.ts'
import type { ServerClient } from '../registry/reader.ts'
import type { Registry } from '../registry/registry.ts'
import type { WriteOptions } from '../registry/write.ts'
import type { Store } from '../storage/store.ts'
import type { MediaType } from './negotiate.ts'
import type { RequestInfo } from './request-info.ts'
import type { ServedGroup } from './served-group.ts'
import type { WatchHub } from './watch.ts'

/** One kind in one version, as paths name it. */
export interface Endpoint {
  registry: Registry
  hub: WatchHub
  /** Undefined: the storage version. */
  served: ServedVersion | undefined
  resource: Resource
  group: string
  version: string
  apiVersion: string
  schema: Schema
  /** What its watches follow, where somebody outside makes the version. */
  view: (() => Promise<WatchView>) | undefined
  /** What everybody who uses it is told. */
  deprecation: string | undefined
}

/** What handlers need of the server they are part of. */
export interface ServerContext {
  store: Store
  /** The store as far back as its history reaches; `store` answers clients and refuses what is older than minutes. */
  past: Store
  resources: readonly Resource[]
  committer: AmendingCommitter
  feed: StoreFeed
  admission: AdmissionChain
  authorizer: Authorizer
  client: ServerClient
  now: () => number
  /** By group, version and plural. */
  endpoint: (group: string, version: string, plural: string) => Endpoint | undefined
  endpointOfKind: (group: string, version: string, kind: string) => Endpoint | undefined
  registry: (group: string, plural: string) => Registry
  /** Waits until every kind that was there when it was asked is served: before a path is said to be of none. */
  settle: () => Promise<void>
  /** Handlers of the subresources that have a behaviour of their own, by `group/plural/subresource`. */
  subresources: ReadonlyMap<string, SubresourceHandler>
  /** Groups that are served as a whole, by `group/version`. */
  groups: ReadonlyMap<string, ServedGroup>
  /** Objects that are answered, not stored (reviews), by `group/plural`. */
  reviews: ReadonlyMap<string, ReviewHandler>
  /** Seconds of a watch that names no timeout: at least this, at most twice. */
  minRequestTimeoutSeconds: number
}

/** One request on its way. */
export interface Scope {
  server: ServerContext
  req: IncomingMessage
  res: ServerResponse
  info: RequestInfo
  user: UserInfo
  endpoint: Endpoint
  media: MediaType
  warn: (message: string) => void
  /** The request wants to switch protocols; this is what has been read beyond its head. */
  upgradeHead?: Buffer
}

/** Answers one subresource request, or throws. */
export type SubresourceHandler = (scope: Scope) => Promise<void>
export type ReviewHandler = (object: AnyObject, scope: Scope) => Promise<AnyObject> | AnyObject

/** The writer's options as the request's query and headers give them. */
export function writeOptions(scope: Scope, dryRun: boolean): WriteOptions {
  return {
    user: scope.user,
    nowMs: scope.server.now(),
    dryRun,
    fieldManager: fieldManagerOf(scope),
    apiVersion: scope.endpoint.apiVersion,
    warn: scope.warn,
  }
}

/** Who the request is recorded as in managedFields. */
export const fieldManagerOf = ({ info, req }: Scope): string =>
  managerOf(info.query.get('fieldManager'), req.headers['user-agent']) || 'unknown'
