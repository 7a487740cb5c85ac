import type { RunReport } from '../run-report.ts';
import { type Child, count, foreign, h, number, percent, table, usd } from './dom.ts';
import { section } from './section.ts';

const HEADLINES = {
  succeeded: 'Every row has an answer',
  partly_succeeded: 'Some rows have no answer',
  stopped: 'Stopped before every row was answered',
  cancelled: 'Cancelled before every row was answered',
} as const;

/** How the run ended, and that its rows add up. */
export function outcome({ summary, output_files }: RunReport): HTMLElement {
  const { rows, status, stop, flawed, notes } = summary;
  const flaws = Object.entries(flawed ?? {}).filter(([, found]) => found > 0);
  return section(
    'outcome',
    HEADLINES[status],
    stop !== null && h('p', {}, foreign(stop.message)),
    tiles(summary),
    h(
      'p',
      { class: 'proof' },
      h(
        'strong',
        {},
        `${number(rows.total)} = ${number(rows.succeeded)} answered${rows.reused === undefined ? '' : ` (${number(rows.reused)} of them by former runs)`} + ${number(rows.failed)} failed + ${number(rows.not_sent)} not sent. `,
      ),
      summary.variants === undefined
        ? 'Every row of the run is in exactly one of the three. '
        : 'Every row counts once in each variant, and is in exactly one of the three there. ',
      'When the run ended, the rows of the output were counted anew, and they are these: ',
      `${count(output_files, 'output file')}, ${count(rows.total / (summary.variants?.length ?? 1), 'row')}. `,
      h('code', {}, `quarry verify ${summary.run_id}`),
      ' says whether every file is still intact.',
    ),
    flaws.length > 0 &&
      h(
        'p',
        {},
        'Of the answers, ',
        flaws.map(([flaw, found]) => `${number(found)} ${found === 1 ? 'is' : 'are'} ${flaw}`).join(', '),
        '.',
      ),
    variantsTable(summary),
    agreementTable(summary),
    attemptsTable(summary),
    notes.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, 'Notes of the plan'),
        h(
          'ul',
          {},
          notes.map((note) => h('li', {}, foreign(note))),
        ),
      ),
  );
}

/** What became of each variant, and what all rows of the dataset would cost in it. */
function variantsTable({ variants, billed, simulated }: RunReport['summary']): Child {
  if (variants === undefined) return null;
  const wasPaid = billed === true && !simulated;
  const dollars = (value: number | null) => (value === null ? '–' : usd(value));
  const head = ['Variant', 'Model', 'Answered', 'Failed', 'Not sent', 'Tokens in', 'Tokens out'];
  const money = [wasPaid ? 'Cost' : 'Cost at Bedrock', 'All rows'];
  return table(
    { caption: 'The variants', head: [...head, ...money], numeric: [...head.slice(2), ...money] },
    variants.map(({ name, model_id, rows, tokens, cost_usd, whole_usd }) => [
      name,
      foreign(model_id),
      number(rows.succeeded),
      number(rows.failed),
      number(rows.not_sent),
      number(tokens.input),
      number(tokens.output),
      dollars(cost_usd),
      dollars(whole_usd),
    ]),
  );
}

/** How far each two variants agree, column by column. */
function agreementTable({ agreement = [] }: RunReport['summary']): Child {
  if (agreement.length === 0) return null;
  const head = ['Variants', 'Both answered', 'Agree', 'In', 'Equal', 'Kappa'];
  return table(
    { caption: 'How far the variants agree', head, numeric: [...head.slice(1, 3), ...head.slice(4)] },
    agreement.flatMap(({ a, b, compared, equal, columns }) =>
      columns.map(({ name, equal: own, kappa }, index) => [
        index === 0 ? `${a} and ${b}` : '',
        index === 0 ? number(compared) : '',
        index === 0 ? percent(equal, compared) : '',
        foreign(name),
        percent(own, compared),
        kappa === null ? '–' : kappa.toFixed(2),
      ]),
    ),
  );
}

function tiles({ rows }: RunReport['summary']): Child {
  const tile = (name: string, value: number, colour: string) => {
    const share = name === 'Rows' ? 'in the run' : percent(value, rows.total);
    return h(
      'div',
      { class: `tile ${colour}` },
      h('dt', {}, name),
      h('dd', {}, number(value), h('span', { class: 'muted' }, share)),
    );
  };
  const piece = (value: number, colour: string) => {
    if (value === 0) return null;
    const element = h('span', { class: colour });
    element.style.flexGrow = String(value);
    return element;
  };
  return [
    h(
      'dl',
      { class: 'tiles' },
      tile('Rows', rows.total, ''),
      tile('Answered', rows.succeeded, 'good'),
      tile('Failed', rows.failed, rows.failed > 0 ? 'bad' : ''),
      tile('Not sent', rows.not_sent, rows.not_sent > 0 ? 'idle' : ''),
    ),
    h(
      'div',
      { class: 'stack', 'aria-hidden': 'true' },
      piece(rows.succeeded, 'good'),
      piece(rows.failed, 'bad'),
      piece(rows.not_sent, 'idle'),
    ),
  ];
}

function attemptsTable({ attempts }: RunReport['summary']): Child {
  if (attempts.length < 2) return null;
  const times = (sent: number) => (sent === 0 ? 'never' : sent === 1 ? 'once' : `${sent} times`);
  return h(
    'details',
    {},
    h('summary', {}, 'How often rows were sent'),
    table(
      {
        caption: 'How often rows were sent',
        head: ['Sent', 'Rows', 'Answered'],
        numeric: ['Rows', 'Answered'],
      },
      attempts.map(({ attempts: sent, rows, succeeded }) => [times(sent), number(rows), number(succeeded)]),
    ),
  );
}

/** Tokens and dollars beside what the plan had estimated. Where no Bedrock model was paid, nothing is called a cost. */
export function money(report: RunReport): HTMLElement {
  const { summary, estimate } = report;
  const { cost_usd, simulated, billed = !simulated, duplicates } = summary;
  const wasPaid = billed && !simulated;
  const why = simulated ? 'the answers are a simulated model’s' : 'a server of your own answered';
  const head = ['Measure', 'Plan', 'Run', 'Share of plan'];
  return section(
    'money',
    wasPaid ? 'Dollars and tokens' : 'Tokens',
    wasPaid
      ? h(
          'p',
          {},
          cost_usd === null
            ? 'No price of this model is known.'
            : [
                h('strong', {}, usd(cost_usd)),
                ' by the price table, for the tokens that the model’s answers count.',
              ],
        )
      : h(
          'p',
          {},
          h('strong', {}, 'Nothing was paid: '),
          `${why}.`,
          cost_usd !== null &&
            ` Had these tokens been Bedrock’s, its prices would make them ${usd(cost_usd)}.`,
        ),
    table({ caption: 'Against the plan', head, numeric: head.slice(1) }, planRows(report, wasPaid)),
    h(
      'p',
      { class: 'muted' },
      `The plan counts every answer at its limit. Prices ${estimate.prices_from === undefined ? `as of ${estimate.prices_as_of}` : 'from the run input'}.`,
    ),
    accountTable(summary, wasPaid),
    duplicates > 0 &&
      h('p', {}, `${count(duplicates, 'row')} got the answer of an identical request, which was sent once.`),
  );
}

/** What each model took in each wave; nothing where there was only one. */
function accountTable({ account = [] }: RunReport['summary'], wasPaid: boolean): Child {
  if (account.length < 2) return false;
  const head = [
    'Wave',
    'Model',
    'Sent',
    'Records',
    'Tokens in',
    'Tokens out',
    ...(wasPaid ? ['Dollars'] : []),
  ];
  const numeric = head.filter((name) => !['Model', 'Sent'].includes(name));
  return table(
    { caption: 'By wave and model', head, numeric },
    account.map((line) => [
      number(line.wave),
      line.model_id,
      line.mode === 'batch' ? 'in jobs' : 'on demand',
      number(line.records),
      number(line.tokens.input),
      number(line.tokens.output),
      ...(wasPaid ? [line.usd === null ? 'not known' : usd(line.usd)] : []),
    ]),
  );
}

function planRows({ summary: { tokens, cost_usd }, estimate }: RunReport, wasPaid: boolean): Child[][] {
  const { input_tokens, max_output_tokens, max_usd, expected } = estimate;
  const dollars = (value: number | null, most = '') =>
    value === null ? 'no price known' : `${most}${usd(value)}`;
  return [
    ['Tokens in', number(input_tokens), number(tokens.input), percent(tokens.input, input_tokens)],
    [
      'Tokens out',
      `at most ${number(max_output_tokens)}`,
      number(tokens.output),
      percent(tokens.output, max_output_tokens),
    ],
    ...(wasPaid
      ? [
          [
            'Dollars',
            `${expected?.usd == null ? '' : `${usd(expected.usd)} expected, `}${dollars(max_usd, 'at most ')}`,
            dollars(cost_usd),
            cost_usd === null || max_usd === null ? '–' : percent(cost_usd, max_usd),
          ],
        ]
      : []),
  ];
}
