// @timeout 120
// @timeout-long 300
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { BoxRuntime, errorCodes } from 'boxledger'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { makeOutput } from '../../src/cli/output.ts'
import { runCommand } from '../../src/cli/program.ts'
import { fingerprintOf } from '../store/repaired.ts'
import { isPolluted, oddText, paths } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import type { Result } from './boxledger.ts'

const test = suite('command: hostile words')
const seed = takeSeed()

/** No program can be given a NUL. */
const word = oddText.map(text => text.replaceAll('\0', '')).filter(text => text !== '')
const box = fc.oneof(
  word,
  fc.constantFrom('victim', 'nobody', ...paths.map(path => path.replaceAll('\0', ''))),
)

const flag = fc.oneof(
  ...['--name', '--image', '--kernel', '--initramfs', '--cmdline', '--cpus', '--memory', '--restart'].map(
    name => word.map(value => [name, value]),
  ),
  ...['--label', '-e', '--secret', '-w', '-u', '--ready', '--type', '--from', '--before', '-t'].map(name =>
    word.map(value => [name, value]),
  ),
  fc.tuple(word, word).map(([key, value]) => ['--label', `${key}=${value}`]),
  fc.tuple(word, word).map(([key, value]) => ['-e', `${key}=${value}`]),
  word.map(pattern => ['--ready', `console=${pattern}`]),
  fc.constantFrom(
    ['--rm'],
    ['-f'],
    ['-a'],
    ['-q'],
    ['--dead'],
    ['--force'],
    ['--kill'],
    ['--replay'],
    ['--json'],
  ),
  word.map(value => [`--${value}`]),
)
const verbs = [
  ...['create', 'start', 'stop', 'restart', 'pause', 'resume', 'wait', 'rm', 'ls', 'inspect', 'rename'],
  ...['resolve', 'console', 'log', 'verify', 'archive', 'exec'],
]
const line = fc
  .tuple(
    fc.boolean(),
    fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...verbs) }, { weight: 1, arbitrary: word }),
    fc.array(fc.oneof({ weight: 2, arbitrary: flag }, { weight: 1, arbitrary: box.map(one => [one]) }), {
      maxLength: 4,
    }),
    fc.option(fc.array(word, { minLength: 1, maxLength: 3 }), { nil: [] }),
  )
  .map(([json, verb, rest, command]) => [
    ...(json ? ['--json'] : []),
    verb,
    // What is followed has no end.
    ...rest.flat().filter(word => word !== '-f' || !['log', 'console'].includes(verb)),
    ...(['create', 'exec'].includes(verb) && command.length > 0 ? ['--', ...command] : []),
  ])

const run = async (home: string, args: readonly string[]): Promise<Result> => {
  const stop = new AbortController()
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts: [string, string] = ['', '']
  for (const [n, stream] of [stdout, stderr].entries())
    stream.setEncoding('utf8').on('data', (text: string) => {
      texts[n] += text
    })
  const output = makeOutput({ stdout, stderr, env: {}, stop })
  const code = await runCommand(['--home', home, ...args], { output, stop: stop.signal })
  return { code, stdout: texts[0], stderr: texts[1] }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const steers = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/

test('whatever is asked: an exit code, an error with a code, nothing that steers a terminal, nothing elsewhere', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const outside = join(dir, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'precious')
    const before = fingerprintOf(outside)
    const here = readdirSync('.').sort()
    await using owner = await BoxRuntime.open({ home, vmm: { binary: '/nowhere/vmm' } })
    await owner.create({ name: 'victim', image: { kernel: '/k' } })
    const codes = new Map<number | null, number>()
    const tries = fc.asyncProperty(line, async args => {
      const { code, stdout, stderr } = await run(home, args)
      const said = JSON.stringify({ args, code, stdout, stderr }).slice(0, 2_000)
      codes.set(code, (codes.get(code) ?? 0) + 1)
      assert.ok(code !== null && code >= 0 && code <= 5, said)
      assert.not.match(`${stdout}${stderr}`, steers, said)
      assert.not.match(stderr, /\n\s+at /, said)
      const isJson =
        args.includes('--json') && (!args.includes('--') || args.indexOf('--json') < args.indexOf('--'))
      if (code === 0 || !isJson) return
      for (const one of stderr.trimEnd().split('\n')) {
        const { error } = JSON.parse(one) as { error: { code: string; message: string } }
        assert.ok(Object.hasOwn(errorCodes, error.code), said)
        assert.is.not(error.code, 'ENGINE_FAILED', said)
      }
    })
    await fc.assert(tries, { seed, numRuns: sized(300, 10_000), includeErrorInReport: true })
    assert.is(fingerprintOf(outside), before)
    assert.equal(readdirSync('.').sort(), here)
    assert.equal(readdirSync(dir).sort(), ['home', 'outside'])
    for (const id of existsSync(join(home, 'boxes')) ? readdirSync(join(home, 'boxes')) : [])
      assert.match(id, /^[0-9a-z]{12}$/)
    assert.ok((await owner.verify({ replay: true })).ok)
    assert.not(isPolluted())
    process.stdout.write(
      `\nhostile words: exit codes ${JSON.stringify(Object.fromEntries([...codes].sort()))}\n`,
    )
  }))

test('what boxes hold and what their VMMs say is shown without what steers a terminal', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const odd = 'odd\u001b[2J\u0007\u009b31m\u202eword'
    await owner.create({
      name: 'it',
      labels: { [odd]: odd },
      image: { kernel: `/nowhere/${odd}`, initramfs: `/nowhere/${odd}`, cmdline: odd },
      command: [odd],
      env: { A: odd },
    })
    const lines: readonly (readonly [exitCode: number, ...args: string[]])[] = [
      [1, 'start', 'it'],
      [1, '--json', 'start', 'it'],
      [0, 'ls', '-a'],
      [0, '--json', 'ls', '-a'],
      [0, 'inspect', 'it'],
      [0, 'log', 'it'],
      [0, '--json', 'log', 'it'],
      [3, 'start', odd],
      [3, '--json', 'start', odd],
    ]
    for (const [exitCode, ...args] of lines) {
      const { code, stdout, stderr } = await run(home, args)
      const said = JSON.stringify({ args, code, stdout, stderr })
      assert.is(code, exitCode, said)
      assert.match(`${stdout}${stderr}`, args[0] === 'log' ? /it/ : /odd.*word/, said)
      assert.not.match(`${stdout}${stderr}`, steers, said)
    }
  }))

test.run()
