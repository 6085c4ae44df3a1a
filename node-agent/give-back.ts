export { memoryKeeper } from '../client/give-back.ts'
