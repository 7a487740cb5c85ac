import { expect, test } from 'vitest';
import type { ListedModel } from '../../../src/models/list-models.ts';
import { runQuarry } from '../../support/run-quarry.ts';

test('quarry models lists ids, prices and limits, and the models without batch with the reason', async () => {
  const { status, out } = await runQuarry('models', 'haiku');
  expect(status).toBe(0);
  expect(out).toContain('Claude Haiku 4.5: 0.5 / 2.5 in a job, 1 / 5 on demand\n');
  expect(out).toContain(
    '  us.anthropic.claude-haiku-4-5-20251001-v1:0  eu.anthropic.claude-haiku-4-5-20251001-v1:0  jp.',
  );
  expect(out).toContain('  23 regions · reads text, image, document · answers of up to 64,000 tokens\n');
  expect(out).toContain(
    '  Claude Haiku 5.5 (anthropic.claude-haiku-5-5*): It is not on AWS’s list of models with batch inference. Claude Haiku 4.5 has it.\n',
  );
  expect(out).not.toContain('Nova');
});

test('--json prints all that is known of each model', async () => {
  const { status, out } = await runQuarry('models', 'nova', '2', 'lite', '--json');
  expect(status).toBe(0);
  const models = JSON.parse(out) as ListedModel[];
  expect(models.map(({ id }) => id)).toContain('amazon.nova-2-lite-v1:0');
  expect(models.find(({ id }) => id === 'amazon.nova-2-lite-v1:0')).toMatchObject({
    family: 'Amazon Nova',
    batch: 'yes',
    why: null,
    route: 'profile',
    plain_id_in: [],
    profile_in: expect.arrayContaining(['us-east-1', 'eu-west-2']),
    batch_usd: { input: 0.15, output: 1.25 },
    batch_usd_regional: { input: 0.1595, output: 1.3255 },
    on_demand_usd: { input: 0.3, output: 2.5 },
    max_tokens: 65_535,
    structured_output: false,
    thinking: 'reasoning-config',
    refuses: ['temperature over 1'],
    date: '2026-10',
  });
});

test('a word that no model has is said', async () => {
  const { status, out } = await runQuarry('models', 'gpt-9');
  expect(status).toBe(0);
  expect(out).toBe('Quarry knows no model of that name.\n');
});
