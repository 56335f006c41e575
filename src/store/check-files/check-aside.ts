import { Worker } from 'node:worker_threads'
import { checkFiles, type FileProblem } from './check.ts'

/** A check of files that goes on beside whatever else is done. */
export interface FileCheck extends AsyncDisposable {
  /** what was found; waits for the end of the check */
  problems(): Promise<readonly FileProblem[]>
}

/** Checks the files of a database that is in use, in a thread of its own, which ends when it is disposed of at the latest. */
export function checkFilesAside(directory: string): FileCheck {
  const worker = new Worker(new URL('./check-thread.js', import.meta.url), { workerData: directory })
  const found = new Promise<readonly FileProblem[]>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('The thread has ended')))
  })
  found.catch(() => {
    // Told when it is asked for.
  })
  return {
    // Where no thread can be had, it is done here; what kept the thread from looking is met here too.
    problems: () => found.catch(() => checkFilesHere(directory)),
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}

export async function checkFilesHere(directory: string): Promise<readonly FileProblem[]> {
  const problems: FileProblem[] = []
  for await (const problem of checkFiles(directory)) problems.push(problem)
  return problems
}
