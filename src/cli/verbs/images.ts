import { type Command, InvalidArgumentError, Option } from 'commander'
import type { DiskSpec, ImageInfo, ImageSpec, RootImageSpec, TemplateInfo } from '../../index.ts'
import { bytes } from '../amounts.ts'
import type { Cli } from '../cli.ts'
import { whole, words } from '../parse.ts'
import { ageWords } from '../state-words.ts'

interface AddFlags {
  readonly kernel?: string
  readonly initramfs?: string
  readonly cmdline?: string
  readonly disk?: readonly string[]
  readonly agent?: boolean
  readonly root?: string
  readonly size?: number
}

interface TemplateFlags {
  readonly cpus?: number
  readonly memory?: number
  readonly rm?: boolean
}

const head = ['NAME', 'KIND', 'SIZE', 'AGE', 'TEMPLATES', 'BOXES']

export function addImages({ program, onHome }: Cli): void {
  const images = program
    .command('images')
    .description('what boxes are made of: list, add and remove images, make templates of them')
  images
    .command('ls', { isDefault: true })
    .alias('list')
    .description('list images, and the boxes that are made of them')
    .action(() =>
      onHome(async ({ runtime, output, json }) => {
        const found = await runtime.images.list()
        if (json) await output.value(found)
        else {
          await output.table(head, found.map(rowOf))
          for (const line of found.flatMap(unusedIn)) await output.line(line)
        }
        return 0
      }),
    )
  addFlags(images.command('add').description('copy an image into the home, under a name')).action(
    async (name: string, flags: AddFlags) => {
      const image = imageOf(flags)
      await onHome(async ({ runtime, output, json, signal }) => {
        await runtime.images.add(name, image, { signal })
        if (!json) await output.line(name)
        else await output.value((await runtime.images.list()).find(image => image.name === name))
        return 0
      })
    },
  )
  images
    .command('rm')
    .description('remove an image that no box is made of')
    .argument('<name>')
    .action((name: string) =>
      onHome(async ({ runtime, output, json }) => {
        await runtime.images.remove(name)
        await (json ? output.value({ name }) : output.line(name))
        return 0
      }),
    )
  images
    .command('template')
    .description('have an image boot once, so that its boxes begin with that and need not boot')
    .argument('<name>', 'builtin for the built-in guest')
    .option('--cpus <n>', 'of the boxes that it is for (default: 1)', whole)
    .option('--memory <mib>', 'the same (default: 256)', whole)
    .addOption(
      new Option('--rm', 'delete its templates, so that its boxes boot again').conflicts(['cpus', 'memory']),
    )
    .action((name: string, { cpus, memory, rm }: TemplateFlags) =>
      onHome(async ({ runtime, output, json, signal }) => {
        if (rm) {
          await runtime.images.removeTemplates(name)
          await (json ? output.value({ name }) : output.line(name))
          return 0
        }
        const size = {
          ...(cpus === undefined ? {} : { cpus }),
          ...(memory === undefined ? {} : { memoryMib: memory }),
        }
        const made = await runtime.images.template(name, { ...size, signal })
        await (json ? output.value(made) : output.line(sizeWords(made)))
        return 0
      }),
    )
  for (const command of images.commands) command.copyInheritedSettings(program)
}

function addFlags(command: Command): Command {
  return command
    .argument('<name>')
    .option('--kernel <path>', 'an uncompressed kernel, or a PVH program')
    .option('--initramfs <path>', 'its first file system')
    .option('--cmdline <string>', "its kernel's command line")
    .option('--disk <path[,qcow2][,readonly]>', 'a disk, of which each box gets a copy; repeatable', words)
    .option('--agent', "boxledger's agent runs in it, so that there is exec")
    .addOption(
      new Option(
        '--root <dir>',
        'a directory with a root file system, booted by the built-in kernel; builtin: its own files',
      ).conflicts(['kernel', 'initramfs', 'cmdline', 'disk', 'agent']),
    )
    .option('--size <mib>', 'size of its disk in MiB (default: what it holds and 1 GiB)', whole)
}

function imageOf(flags: AddFlags): ImageSpec | RootImageSpec {
  const { kernel, initramfs, cmdline, disk, agent, root, size } = flags
  if (root !== undefined) return { root, ...(size === undefined ? {} : { sizeMib: size }) }
  if (size !== undefined) throw new InvalidArgumentError('error: --size goes with --root')
  if (kernel === undefined) throw new InvalidArgumentError('error: --kernel or --root is missing')
  return {
    kernel,
    ...(initramfs === undefined ? {} : { initramfs }),
    ...(cmdline === undefined ? {} : { cmdline }),
    ...(disk === undefined ? {} : { disks: disk.map(diskOf) }),
    ...(agent === undefined ? {} : { agent }),
  }
}

/** Words behind the path's last commas; a path that ends so itself has to be renamed. */
function diskOf(word: string): DiskSpec {
  const [, path = word, format, readonly] = /^(.*?)(,qcow2)?(,readonly)?$/s.exec(word) ?? []
  return {
    path,
    ...(format === undefined ? {} : { format: 'qcow2' as const }),
    ...(readonly === undefined ? {} : { readonly: true }),
  }
}

function rowOf({ name, kind, bytes: length, addedAt, boxes, templates = [] }: ImageInfo): string[] {
  return [
    name,
    kind,
    bytes(length),
    addedAt === undefined ? '-' : ageWords(addedAt, Date.now()),
    templates.length === 0 ? '-' : templates.map(sizeWords).join(' '),
    boxes.length === 0 ? '-' : boxes.join(' '),
  ]
}

/** Processors and memory of the boxes that it is for; marked if it is not used. */
function sizeWords({ cpus, memoryMib, fits }: TemplateInfo): string {
  return `${cpus}x${memoryMib}${fits ? '' : '!'}`
}

function unusedIn({ name, templates = [] }: ImageInfo): string[] {
  return templates.filter(({ fits }) => !fits).map(each => `${name} ${sizeWords(each)} ${each.reason}`)
}
