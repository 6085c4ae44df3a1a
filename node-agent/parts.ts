import type { InformerFactory } from '../client/informer.ts'
import type { Logger } from '../client/logger.ts'
import type { Api } from '../client/types.ts'
import type { AgentParts } from './agent.ts'
import type { NodeAgentConfig } from './config.ts'
import { openRuntime } from './runtime/index.ts'

export interface PartsOptions {
  config: NodeAgentConfig
  api: Api
  informers: InformerFactory
  log: Logger
}

/** The real runtime, network and server of a node, by its configuration. */
export function agentParts({ config, log }: PartsOptions): AgentParts {
  const { rootDir, nodeName, cniConfDir, cniBinDir, runtimeEndpoint, sandboxImage, hollowStartMs } = config
  return {
    openRuntime: (signal) =>
      openRuntime({
        kind: config.runtime,
        dataDir: `${rootDir}/runtime`,
        nodeName,
        cniConfDir,
        cniBinDir,
        hollowStartMs,
        ...(runtimeEndpoint === '' ? {} : { endpoint: runtimeEndpoint }),
        ...(sandboxImage === '' ? {} : { sandboxImage }),
        signal,
        log,
      }),
  }
}
