import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BoxOptions } from '../index.ts'
import { addHealthFlags, type HealthFlags, healthOf } from './health-flags.ts'
import { pairs, whole, words } from './parse.ts'

/** The flags that describe a new box. */
export interface BoxFlags extends HealthFlags {
  readonly name?: string
  readonly image?: string
  readonly kernel?: string
  readonly initramfs?: string
  readonly cmdline?: string
  readonly agent?: boolean
  readonly cpus?: number
  readonly memory?: number
  readonly rm?: boolean
  readonly restart?: NonNullable<BoxOptions['restart']>
  readonly label?: Record<string, string>
  readonly env?: Record<string, string>
  readonly secret?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly ready?: NonNullable<BoxOptions['ready']>
}

export function addBoxFlags(command: Command): Command {
  const flags = command
    .argument('[cmd...]', "after --: the box's main command; the box ends with it")
    .option('--name <name>', 'name, free again when the box is removed')
    .option('--image <image>', 'name of an image (default: the built-in guest)')
    .addOption(new Option('--kernel <path>', 'kernel of an image of your own').conflicts('image'))
    .option('--initramfs <path>', 'its first file system')
    .option('--cmdline <string>', "its kernel's command line")
    .option('--agent', "boxledger's agent runs in it, so that there is exec")
    .option('--cpus <n>', 'virtual CPUs (default: 1)', whole)
    .option('--memory <mib>', 'memory in MiB (default: 256)', whole)
    .option('--rm', 'remove the box when it is down; its history stays')
    .option(
      '--restart <policy>',
      'no, on-failure[:RETRIES], always or unless-stopped (default: no)',
      restartWord,
    )
    .option('--label <key=value>', 'label, repeatable', pairs)
    .option('-e, --env <key=value>', "variable of the command's environment, repeatable", pairs)
    .option(
      '--secret <key>',
      "the same, taken from boxledger's own environment and kept out of the ledger; repeatable",
      words,
    )
    .option('-w, --workdir <dir>', "the command's directory")
    .option('-u, --user <user>', "the command's user, or user:group")
    .option('--ready <when>', 'when a start is over: guest, vmm or console=REGEX', readyWord)
  return addHealthFlags(flags)
}

function readyWord(value: string): NonNullable<BoxOptions['ready']> {
  if (value === 'guest' || value === 'vmm') return value
  if (value.startsWith('console=')) return { console: value.slice('console='.length) }
  throw new InvalidArgumentError('Give guest, vmm or console=REGEX.')
}

function restartWord(value: string): NonNullable<BoxOptions['restart']> {
  const [, policy, retries] = /^(no|on-failure|always|unless-stopped)(?::(\d{1,6}))?$/.exec(value) ?? []
  if (policy === undefined || (retries !== undefined && policy !== 'on-failure'))
    throw new InvalidArgumentError('Give no, on-failure, on-failure:RETRIES, always or unless-stopped.')
  return {
    policy: policy as NonNullable<BoxOptions['restart']>['policy'],
    ...(retries === undefined ? {} : { maxRetries: Number(retries) }),
  }
}

/** Paths are made absolute: a box is started from anywhere. */
export function boxOptionsOf(flags: BoxFlags, command: readonly string[]): BoxOptions {
  const {
    name,
    image,
    kernel,
    initramfs,
    cmdline,
    agent,
    cpus,
    memory,
    rm,
    restart,
    label,
    env,
    secret,
    workdir,
    user,
    ready,
  } = flags
  if (kernel === undefined && (initramfs ?? cmdline ?? agent) !== undefined)
    throw new InvalidArgumentError('error: --initramfs, --cmdline and --agent go with --kernel')
  const files = kernel && {
    kernel: resolve(kernel),
    ...(initramfs === undefined ? {} : { initramfs: resolve(initramfs) }),
    ...(cmdline === undefined ? {} : { cmdline }),
    ...(agent === undefined ? {} : { agent }),
  }
  const secrets = secret && secretsOf(secret)
  const wanted = {
    name,
    image: files ?? image,
    command: command.length === 0 ? undefined : [...command],
    cpus,
    memoryMib: memory,
    autoRemove: rm,
    restart,
    labels: label,
    env: secrets === undefined ? env : { ...env, ...secretNames(secret ?? []) },
    secrets,
    workdir,
    user,
    ready,
    health: healthOf(flags),
  }
  // The library takes absent for a default, and `undefined` for a mistake where types are exact.
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
}

function secretNames(keys: readonly string[]): Record<string, { secret: string }> {
  return Object.fromEntries(keys.map(key => [key, { secret: key }]))
}

/** Values of variables of this process: a command line is there for all to see. */
function secretsOf(keys: readonly string[]): Record<string, string> {
  const values = keys.map(key => {
    const value = process.env[key]
    if (value === undefined)
      throw new InvalidArgumentError(`error: --secret ${key}: there is no such variable`)
    return [key, value] as const
  })
  return Object.fromEntries(values)
}
