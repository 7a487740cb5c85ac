import { expect, test } from 'vitest';
import type { Reason } from '../../../src/core/run/ledger.ts';
import { faultOfTurn, type PartEnd } from '../../../src/steps/waves/systematic-fault.ts';

/** A part of 100 records, each of which ended with this error. */
function turnOf(error_code: string): PartEnd {
  const reason: Reason = {
    error_code,
    rows: 100,
    example_record_id: 'r0000000000',
    example_message: 'max_tokens: too many.',
  };
  return {
    part: {
      run_uri: 's3://bucket/runs/r',
      part_id: 'p00001',
      variant: 0,
      wave: 1,
      attempt: 1,
      mode: 'batch',
      records: 100,
      bytes: 1000,
      repair: false,
      run_max_usd: null,
    },
    ledger: {
      part_id: 'p00001',
      wave: 1,
      rows: { total: 100, succeeded: 0, failed: 100, not_sent: 0 },
      tokens: { input: 0, output: 0 },
      reasons: [reason],
      stray_lines: 0,
      job_arn: 'arn',
      job_status: 'Completed',
      job_message: null,
      owed: { records: 0, bytes: 0 },
    },
  };
}

test.each(['400', '403', 'ValidationException', 'AccessDeniedException'])(
  'where every record got %s, the other parts would too',
  (code) => {
    expect(faultOfTurn(turnOf(code))).toEqual({
      message: `Each of the 100 records of part p00001 got error ${code}: max_tokens: too many.`,
      disprovedBy: 'run',
    });
  },
);

test.each(['424', '429', '500', 'ThrottlingException', 'ModelErrorException', 'InternalServerException'])(
  'where every record got %s, the next job may do better',
  (code) => {
    expect(faultOfTurn(turnOf(code))).toBeUndefined();
  },
);
