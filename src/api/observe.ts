import type { LedgerRecord } from '../machines/index.ts'
import type { EventsOptions } from './box.ts'
import { Observable } from './observable.ts'
import { check, shapes } from './options.ts'

/** An observable of what a stream gives; leaving it ends the stream's wait. */
export function observe<T>(
  read: (signal: AbortSignal) => AsyncIterable<T>,
  signal?: AbortSignal,
): Observable<T> {
  return new Observable(subscriber => {
    const left = new AbortController()
    const abort = () => left.abort(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    subscriber.add(() => {
      signal?.removeEventListener('abort', abort)
      left.abort()
    })
    const pass = async () => {
      for await (const value of read(left.signal)) {
        if (subscriber.closed) return
        subscriber.next(value)
      }
      subscriber.complete()
    }
    pass().catch(error => subscriber.error(error))
  })
}

/** The same of records; options that are none are told to the subscriber. */
export function observeEvents(
  read: (o: EventsOptions) => AsyncIterable<LedgerRecord>,
  o: EventsOptions,
): Observable<LedgerRecord> {
  return new Observable(subscriber => {
    const given = check(shapes.events, o, 'options') as EventsOptions
    return observe(signal => read({ ...given, signal }), given.signal).subscribe(subscriber)
  })
}
