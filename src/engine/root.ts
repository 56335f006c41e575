import {
  type Actor,
  type ActorLogic,
  type AnyActorRef,
  createActor,
  type InspectionEvent,
  type Observer,
  type Snapshot,
} from 'xstate'

interface End {
  readonly type: 'end'
  readonly child: AnyActorRef
}

type RootLogic = ActorLogic<Snapshot<undefined>, End>

export type Inspect = Observer<InspectionEvent> | ((event: InspectionEvent) => void)

const active: Snapshot<undefined> = { status: 'active', output: undefined, error: undefined }

/** Only a parent can stop an actor; this one has all of ours for children, in one system. */
const rootLogic: RootLogic = {
  transition: (snapshot, event, { stopChild }) => {
    if (event.type === 'end') stopChild(event.child)
    return snapshot
  },
  getInitialSnapshot: () => active,
  getPersistedSnapshot: snapshot => snapshot,
}

export type Root = Actor<RootLogic>

export function createRoot(inspect: Inspect | undefined): Root {
  return createActor(rootLogic, { id: 'engine', ...(inspect === undefined ? {} : { inspect }) }).start()
}
