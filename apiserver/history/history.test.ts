import { runServer } from '../testing/running-server.ts'
import { describeHistory } from './testing/contract.ts'

describeHistory('the embedded store’s history is told', () => runServer())
