import { attach } from '../attach.ts'
import type { Cli } from '../cli.ts'
import { addDetachKeys, type DetachFlags, detachLeave } from '../detach-flags.ts'
import { pairs } from '../parse.ts'
import { boxOf } from '../targets.ts'

interface ExecFlags extends DetachFlags {
  readonly interactive?: boolean
  readonly tty?: boolean
  readonly env?: Record<string, string>
  readonly workdir?: string
  readonly user?: string
}

export function addExec({ program, onHome }: Cli): void {
  addDetachKeys(program.command('exec'))
    .description("run a command in a box, which is started if it is not up; the exit code is the command's")
    .usage('[options] BOX -- CMD…')
    .argument('<box>')
    .argument('<cmd...>', 'after --: the program and its arguments')
    .option('-i, --interactive', 'it reads what boxledger reads')
    .option('-t, --tty', 'it has a terminal')
    .option('-e, --env <key=value>', 'variable of its environment, repeatable', pairs)
    .option('-w, --workdir <dir>', 'its directory')
    .option('-u, --user <user>', 'its user, or user:group')
    .action((target: string, [command = '', ...args]: string[], flags: ExecFlags) => {
      const { interactive = false, tty = false, env = {}, workdir, user } = flags
      return onHome(async session => {
        const box = await boxOf(session.runtime, target)
        return attach(session, { interactive, tty, ...detachLeave(flags) }, options =>
          box.exec(command, args, {
            ...options,
            env: { ...options.env, ...env },
            ...(workdir === undefined ? {} : { cwd: workdir }),
            ...(user === undefined ? {} : { user }),
          }),
        )
      })
    })
}
