import {
  assertWanted,
  closedError,
  type Engine,
  lifecycle,
  newId,
  notFound,
  unlessAborted,
} from '../../engine/index.ts'
import { BoxError, type BoxSpec } from '../../machines/index.ts'
import { agentMissing, hasAgent, type ProgramSpec, readSecrets, revealed } from '../../vmm/index.ts'
import { type ExecOptions, Execution, type RunningCommand } from '../execution.ts'
import { check, shapes } from '../options.ts'

/** A command and how it is to be run, checked. */
export interface WantedCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly options: ExecOptions
}

/** A box in which a command can be begun whose ID is known before. */
export interface BeginsCommands {
  beginExec(id: string, wanted: WantedCommand): Promise<RunningCommand>
}

export function checkExec(command: unknown, args: unknown, options: unknown): WantedCommand {
  return {
    command: check(shapes.program, command, 'command'),
    args: check(shapes.words, args, 'args'),
    options: check(shapes.exec, options, 'exec') as ExecOptions,
  }
}

/** A command that whoever has the box begins. What is wrong with it is told to who waits for it. */
export function execution(
  {
    command,
    args,
    options,
  }: { readonly command: unknown; readonly args: unknown; readonly options: unknown },
  begin: (id: string, wanted: WantedCommand) => Promise<RunningCommand>,
): Execution {
  const id = newId()
  try {
    const wanted = checkExec(command, args, options)
    return new Execution(id, () => begin(id, wanted), wanted.options)
  } catch (error) {
    return new Execution(id, () => Promise.reject(error), {})
  }
}

const defaultTerminal = { columns: 80, rows: 24 }

/** Runs a command in a box, which is started if it is not up. */
export async function beginExec(
  engine: Engine,
  box: string,
  id: string,
  { command, args, options }: WantedCommand,
): Promise<RunningCommand> {
  const { signal, tty = false, cwd, user, timeoutMs, recordArguments = false, actor } = options
  if (engine.isClosed) throw closedError()
  assertWanted(signal)
  const spec = specOf(engine, box)
  if (!hasAgent(spec)) throw agentMissing(box)
  const program = await programOf(engine, box, spec, { command, args, options })
  await lifecycle.start(engine, box, signal === undefined ? {} : { signal })
  const recorded = {
    command,
    arguments: recordArguments ? args : await engine.executions.hash(args),
    tty: tty !== false,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
  assertWanted(signal)
  const begun = engine.executions.run({ box, id, program, recorded, actor })
  begun.then(({ abort }) => signal?.aborted && abort()).catch(() => {})
  const { program: running, outcome, abort } = await unlessAborted(begun, signal)
  return {
    stdout: running.stdout,
    stderr: running.stderr,
    stdin: running.stdin,
    outcome,
    kill: name => running.kill(name),
    resize: (columns, rows) => running.resize(columns, rows),
    abort,
    detach: async () => {
      running.stdout.discard()
      running.stderr.discard()
    },
  }
}

async function programOf(
  engine: Engine,
  box: string,
  spec: BoxSpec,
  { command, args, options: { env, cwd, user, tty } }: WantedCommand,
): Promise<ProgramSpec> {
  const missing = (name: string) =>
    new BoxError('INVALID_ARGUMENT', `Box ${box} has no secret ${name}`, {
      details: { field: 'env', secret: name },
    })
  const terminal = tty === true ? defaultTerminal : tty || undefined
  return {
    args: [command, ...args],
    env: revealed({ ...spec.env, ...env }, await readSecrets(engine.home, box), missing),
    workdir: cwd ?? spec.workdir ?? '/',
    user: user ?? spec.user ?? '',
    ...(terminal === undefined ? {} : { terminal }),
  }
}

function specOf(engine: Engine, box: string): BoxSpec {
  const head = engine.ledger.head(box)
  if (head === undefined) {
    engine.assertSound(box)
    throw notFound(box)
  }
  return head.state.context.spec
}
