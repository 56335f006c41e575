import type { BoxEvent, BoxState, step as boxStep, Transition } from 'boxledger/machines'
import { isRefusal, step } from 'boxledger/machines'
import type { Hands } from 'boxledger/vmm'

type Driver = Hands['driver']
type DriverEvent = Parameters<Driver['transition']>[1]

/** Hands whose drivers are told other things than the engine tells them. */
export const telling =
  (change: (event: DriverEvent) => readonly DriverEvent[]) =>
  (hands: Hands): Hands => ({
    ...hands,
    driver: {
      ...hands.driver,
      transition: (snapshot, event, scope) =>
        change(event).reduce((now, told) => hands.driver.transition(now, told, scope), snapshot),
    },
  })

type Input = ReturnType<Driver['getInitialSnapshot']>['input']
type Fact = Parameters<Input['tell']>[0]

/** Hands whose drivers tell the engine other facts than they should. */
export const toldBy =
  (change: (fact: Fact) => readonly Fact[]) =>
  (hands: Hands): Hands => ({
    ...hands,
    driver: {
      ...hands.driver,
      getInitialSnapshot: (scope, input) =>
        hands.driver.getInitialSnapshot(scope, {
          ...input,
          tell: async fact => {
            for (const told of change(fact)) await input.tell(told)
          },
        }),
    },
  })

/** A step that is given another state than the box has. */
export const stepFrom =
  (change: (state: BoxState, event: BoxEvent) => BoxState): typeof boxStep =>
  (state, event, input) =>
    step(state && change(state, event), event, input)

/** A step that comes to something else than the machine. */
export const stepTo =
  (change: (transition: Transition, event: BoxEvent) => Transition): typeof boxStep =>
  (state, event, input) => {
    const outcome = step(state, event, input)
    return isRefusal(outcome) ? outcome : change(outcome, event)
  }
