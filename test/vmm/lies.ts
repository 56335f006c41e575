import type { Random } from '../support/seed.ts'

/** What a VMM that lies may say in place of an answer. */

const deep = '['.repeat(100_000) + ']'.repeat(100_000)
const long = 'x'.repeat(300_000)
const uuid = '00000000-0000-0000-0000-000000000000'

/** JSON, and what is none, of other kinds than an answer has; good HTTP otherwise. */
export const bodies: readonly string[] = [
  '',
  'null',
  'true',
  '0',
  '"x"',
  '[]',
  '{}',
  '[{}]',
  '{"state":"Running"}',
  '{"state":"Running","config":null}',
  '{"state":"Running","config":[]}',
  '{"state":"Running","config":{}}',
  '{"state":["Running"],"config":{}}',
  '{"state":{"toString":"x"},"config":{}}',
  '{"state":"__proto__","config":{}}',
  '{"state":"constructor","config":{}}',
  '{"state":"\\u0000","config":{}}',
  `{"state":"Running","config":{"platform":{"uuid":"${uuid}","system_uuid":"${uuid}"}}}`,
  `{"state":"Paused","config":{"platform":{"system_uuid":{"toLowerCase":1}}}}`,
  `{"state":"Running","config":${deep}}`,
  `{"state":"${long}","config":{}}`,
  '{"version":1}',
  '{"version":{}}',
  `{"version":"${long}"}`,
  '{"version":"v53.0\\u001b[2J"}',
  '{"version":"v0.0","pid":1}',
  '{"version":"v53.0.0","pid":"1"}',
  '{"version":"v53.0.0","pid":-1}',
  '{"build_version":"../../x"}',
  '{"__proto__":{"state":"Running","config":{},"version":"v53.0.0","polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"state":"Running"',
  '{"state":"Running"}}',
  deep,
  '{"a":'.repeat(50_000),
  '\ufeff{}',
  '\u0000\u0000',
  JSON.stringify(Array.from({ length: 5_000 }, (_, n) => `error ${n}`)),
  JSON.stringify([long, { a: 1 }, [[]], null]),
  JSON.stringify({ error: { message: 'x' } }),
  JSON.stringify({ error: `\u001b]0;title\u0007${long}` }),
  '["Error from API","VM is not created"]',
]

export const statuses: readonly number[] = [200, 200, 204, 206, 301, 400, 404, 429, 500, 503, 999]

/** Bytes that are no answer, or not only one. */
export const bytes: readonly string[] = [
  '\r\n\r\n',
  'nonsense\r\n\r\n',
  '\0\0\0\0',
  'SSH-2.0-OpenSSH_9.2\r\n',
  'HTTP/1.1\r\n\r\n',
  'HTTP/9.9 200 OK\r\n\r\n',
  'HTTP/1.1 99999 \r\n\r\n',
  'HTTP/1.1 -1 \r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{"version":"v53.0.0"}',
  'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nA: b\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\n\r\n{}',
  'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}',
  'HTTP/1.0 200 OK\r\n\r\n{}',
  'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}',
  `HTTP/1.1 200 ${long}\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(20_000)}\r\n`,
  `HTTP/1.1 200 OK\r\nA: ${long}\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(300)}`,
  'HTTP/1.1 200 OK\r\n: b\r\n\r\n',
  'HTTP/1.1 200 OK\r\nA\0B: c\r\n\r\n',
  'HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\nContent-Length: 2\r\n\r\n{}',
  'HTTP/1.1 100 Continue\r\n\r\n',
  `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2_000)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`,
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 204 \r\n\r\nHTTP/1.1 204 \r\n\r\nHTTP/1.1 204 \r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
]

/** A lie as bytes on the wire. */
export const lieOf = ({ pick, below }: Random): Buffer => {
  const body = pick(bodies)
  const good = `HTTP/1.1 ${pick(statuses)} \r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  const whole = Buffer.from(below(2) === 0 ? good : pick(bytes), below(2) === 0 ? 'latin1' : 'utf8')
  if (below(4) > 0) return whole
  const spoiled = Buffer.from(whole)
  for (let n = below(4); n > 0; n--) spoiled[below(Math.min(spoiled.length, 200))] = below(256)
  return spoiled.subarray(0, below(2) === 0 ? spoiled.length : below(spoiled.length))
}

/** The driver's calls. */
export const calls = [
  'vmm.ping',
  'vm.info',
  'vm.create',
  'vm.boot',
  'vm.pause',
  'vm.resume',
  'vm.power-button',
  'vm.shutdown',
  'vmm.shutdown',
] as const
