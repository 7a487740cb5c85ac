import type { BedrockClient } from '@aws-sdk/client-bedrock';
import type { StepDeps } from '../../steps/deps.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { NoticeBoard } from './notice-board.ts';

/** Everything that a run on the embedded engine needs; disposing of it lets go of clients and servers. */
export interface EngineTarget extends AsyncDisposable {
  deps: StepDeps;
  store: ObjectStore;
  control: BedrockClient;
  /** What the target tells by itself; absent where it tells nothing. */
  notices?: NoticeBoard;
}
