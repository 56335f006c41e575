import { parentPort, workerData } from 'node:worker_threads'
import { checkFilesHere } from './check-aside.ts'

parentPort?.postMessage(await checkFilesHere(workerData as string))
