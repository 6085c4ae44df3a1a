import type { EmbeddedOptions } from './embedded/store.ts'
import type { EtcdOptions } from './etcd/store.ts'
import type { Store } from './store.ts'

export type StoreOptions = ({ kind: 'embedded' } & EmbeddedOptions) | ({ kind: 'etcd' } & EtcdOptions)

/** Opens the store that the options name. Only the code of that one is loaded. */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.kind === 'embedded') return (await import('./embedded/store.ts')).openEmbedded(options)
  return (await import('./etcd/store.ts')).openEtcd(options)
}
