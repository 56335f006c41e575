import { Command, CommanderError } from 'commander'
import { engineName } from '../api/version.ts'
import { BoxError, errorCodes } from '../index.ts'
import type { Cli } from './cli.ts'
import { exitCodeOf, tellFailure } from './failure.ts'
import type { Output } from './output.ts'
import { type GlobalOptions, withHome } from './session.ts'
import { addAdopt } from './verbs/adopt.ts'
import { addArchive } from './verbs/archive.ts'
import { addClone } from './verbs/clone.ts'
import { addCompact } from './verbs/compact.ts'
import { addConsole } from './verbs/console.ts'
import { addCp } from './verbs/cp.ts'
import { addCreate } from './verbs/create.ts'
import { addDiff } from './verbs/diff.ts'
import { addExec } from './verbs/exec.ts'
import { addExplain } from './verbs/explain.ts'
import { addExport } from './verbs/export.ts'
import { addFork } from './verbs/fork.ts'
import { addImages } from './verbs/images.ts'
import { addImport } from './verbs/import.ts'
import { addInfo } from './verbs/info.ts'
import { addInspect } from './verbs/inspect.ts'
import { addLog } from './verbs/log.ts'
import { addLogs } from './verbs/logs.ts'
import { addLs } from './verbs/ls.ts'
import { addMachine } from './verbs/machine.ts'
import { addPause } from './verbs/pause.ts'
import { addRename } from './verbs/rename.ts'
import { addRepair } from './verbs/repair.ts'
import { addResolve } from './verbs/resolve.ts'
import { addRestart } from './verbs/restart.ts'
import { addResume } from './verbs/resume.ts'
import { addRm } from './verbs/rm.ts'
import { addRun } from './verbs/run.ts'
import { addServe } from './verbs/serve.ts'
import { addShow } from './verbs/show.ts'
import { addSnapshot } from './verbs/snapshot.ts'
import { addStart } from './verbs/start.ts'
import { addStats } from './verbs/stats.ts'
import { addStop } from './verbs/stop.ts'
import { addSubscriptions } from './verbs/subscriptions.ts'
import { addVerify } from './verbs/verify.ts'
import { addWait } from './verbs/wait.ts'
import { addWhy } from './verbs/why.ts'

const verbs = [
  addCreate,
  addRun,
  addStart,
  addStop,
  addRestart,
  addPause,
  addResume,
  addWait,
  addRm,
  addLs,
  addInspect,
  addRename,
  addResolve,
  addExec,
  addConsole,
  addLogs,
  addStats,
  addCp,
  addSnapshot,
  addClone,
  addLog,
  addShow,
  addDiff,
  addWhy,
  addExplain,
  addFork,
  addExport,
  addSubscriptions,
  addVerify,
  addAdopt,
  addRepair,
  addImport,
  addArchive,
  addCompact,
  addServe,
  addImages,
  addInfo,
  addMachine,
]

const closingHelp = `
BOX is an ID, a name, or the first characters (at least 4) of an ID; rm, rename and resolve take whole ones only.

A home has one owner at a time, which serves all others: boxledger serve, a program with the library, or another
command. Where nobody owns it, a command is the owner for its own length: boxes run on when it ends, but nobody restarts
or auto-removes them until somebody opens the home again.

Exit codes: 0 done, 1 failed, 2 usage or invalid argument, 3 not found, 4 conflict, 5 ledger corrupt, 6 home owned by
another that does not answer; with run, exec and wait, the command's own. Several boxes at once: all are tried, 1 if one failed.`

/** Carries out one command line; gives the exit code. */
export async function runCommand(
  args: readonly string[],
  { output, stop }: { readonly output: Output; readonly stop: AbortSignal },
): Promise<number> {
  let exitCode = 0
  const program = new Command('boxledger')
    .description('Micro-VMs as event-sourced actors.')
    .version(engineName, '--version', 'which boxledger this is')
    .option('--home <dir>', 'where boxes live (default: $BOXLEDGER_HOME, else in the user state directory)')
    .option('--json', 'answers as JSON, errors as JSON on stderr')
    .usage('[--home DIR] [--json] VERB …')
    .addHelpText('after', closingHelp)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: text => void output.write(text), writeErr: () => {} })
  const cli: Cli = {
    program,
    onHome: async work => {
      exitCode = await withHome(program.opts<GlobalOptions>(), { output, signal: stop }, work)
    },
    alone: async work => {
      const { home, json = false } = program.opts<GlobalOptions>()
      await work({ home, json, output, signal: stop })
    },
  }
  for (const add of verbs) add(cli)
  for (const command of program.commands) command.copyInheritedSettings(program)

  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const json = asksForJson(args)
    if (isWithoutVerb(error) && !json) {
      output.note(`${program.helpInformation()}${closingHelp}`)
      return errorCodes.INVALID_ARGUMENT.exit
    }
    const told = error instanceof CommanderError ? usageError(error) : error
    tellFailure(output, json, told)
    return exitCodeOf(told)
  }
}

/** Commander shows its help then, instead of an error. */
function isWithoutVerb(error: unknown): boolean {
  return error instanceof CommanderError && error.code === 'commander.help'
}

function usageError(error: CommanderError): BoxError {
  const message = isWithoutVerb(error) ? 'a verb is missing' : error.message.replace(/^error: /, '')
  return new BoxError('INVALID_ARGUMENT', message, { details: { field: 'usage' } })
}

/** Of a command line that could not be understood. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? undefined : end).includes('--json')
}
