import {
  GetExecutionHistoryCommand,
  type GetExecutionHistoryOutput,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { callAws } from '../../bedrock/call-aws.ts';
import { messageOfCause } from '../../core/error-cause.ts';
import { stepWaitingText } from '../../runs/step-waiting.ts';
import { RunState } from '../../steps/run/run-state.ts';

/** Events on one page. https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html */
const PAGE_SIZE = 200;

/** What has happened in an execution, in the order in which it did. */
export interface ExecutionHistory {
  /** The events since the last call. */
  newEvents(): Promise<HistoryEvent[]>;
}

/** Opens an execution's history at its beginning; `onRetry` is told of each failure of a Task of its own. */
export function openHistory(
  sfn: SFNClient,
  executionArn: string,
  onRetry: (message: string) => void = () => {},
): ExecutionHistory {
  const tellRetry = createRetryTeller(onRetry);
  let lastId = 0;
  return {
    newEvents: async () => {
      const fresh: HistoryEvent[] = [];
      let nextToken: string | undefined;
      do {
        // From the end on: a token for the end of the history does not exist.
        const page = await readPage(sfn, { executionArn, reverseOrder: true, nextToken });
        const events = (page.events ?? []).filter(({ id = 0 }) => id > lastId);
        fresh.push(...events);
        nextToken = events.length === page.events?.length ? (page.nextToken ?? undefined) : undefined;
      } while (nextToken !== undefined);
      fresh.sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
      lastId = fresh.at(-1)?.id ?? lastId;
      for (const event of fresh) tellRetry(event);
      return fresh;
    },
  };
}

/** What Plan has answered; undefined before it has. Plan is the first state, so the first page has it. */
export async function plannedRunOf(sfn: SFNClient, executionArn: string): Promise<RunState | undefined> {
  const { events = [] } = await readPage(sfn, { executionArn, reverseOrder: false, nextToken: undefined });
  return events.map(planIn).find((state) => state !== undefined);
}

/** What Plan answered, where this event says so. */
export function planIn({ stateExitedEventDetails: details }: HistoryEvent): RunState | undefined {
  if (details?.name !== 'Plan' || details.output === undefined) return undefined;
  return RunState.safeParse(JSON.parse(details.output)).data;
}

/** Tells of each failure of a Task of the execution itself, which mostly is tried again: events come in their order. */
export function createRetryTeller(tell: (message: string) => void): (event: HistoryEvent) => void {
  let state = '';
  return ({ type, timestamp, stateEnteredEventDetails, taskFailedEventDetails }) => {
    state = stateEnteredEventDetails?.name ?? state;
    if (type !== 'TaskFailed') return;
    const { error = 'Error', cause } = taskFailedEventDetails ?? {};
    const message = messageOfCause(cause) ?? error;
    tell(stepWaitingText({ step: state, error, message, since: timestamp?.toISOString() ?? 'just now' }));
  };
}

function readPage(
  sfn: SFNClient,
  request: { executionArn: string; reverseOrder: boolean; nextToken: string | undefined },
): Promise<GetExecutionHistoryOutput> {
  return callAws(
    { doing: `read the history of ${request.executionArn}`, action: 'states:GetExecutionHistory' },
    () => sfn.send(new GetExecutionHistoryCommand({ ...request, maxResults: PAGE_SIZE })),
  );
}
