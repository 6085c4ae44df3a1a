import { describeHistory } from '../../apiserver/history/testing/contract.ts'
import { runServer } from '../../apiserver/testing/running-server.ts'
import { startEtcd } from '../support/etcd.ts'

describeHistory('the history of etcd is told', async () => {
  const etcd = await startEtcd()
  try {
    const server = await runServer([`--etcd-servers=${etcd.endpoints.join(',')}`])
    return {
      ...server,
      async stop() {
        await server.stop()
        await etcd.stop()
      },
    }
  } catch (error) {
    await etcd.stop()
    throw error
  }
})
