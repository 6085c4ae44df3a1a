import type { Resource } from '../machinery/resource.ts'
import { cronJobs } from './cronjob.ts'
import { jobs } from './job.ts'

/** The kinds of group batch. */
export const batchResources: readonly Resource[] = [cronJobs, jobs]
