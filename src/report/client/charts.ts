import * as Plot from '@observablehq/plot';
import type { ProgressPoint, Sizes, Timeline, TimelineJob } from '../run-report.ts';
import { count, duration, h, number } from './dom.ts';

const SIZE = { width: 960, marginLeft: 64, marginRight: 16 };
/** Jobs that have room for their wave's number. */
const MAX_LABELLED = 80;
/** Slots that get a line of their own, used or not. */
const MAX_LANES = 40;

/** A chart with what it says in words, for whoever does not see it. */
function figure(chart: Element, label: string, legend?: HTMLElement): HTMLElement {
  // Names of marks are no names of what they show.
  for (const mark of chart.querySelectorAll('[aria-label]')) mark.removeAttribute('aria-label');
  chart.setAttribute('role', 'img');
  chart.setAttribute('aria-label', label);
  return h(
    'figure',
    {},
    legend,
    h('div', { class: 'chart', tabindex: 0, role: 'group', 'aria-label': 'Chart' }, chart),
  );
}

function hoursSince(start: number, iso: string, unit: { ms: number }): number {
  return (Date.parse(iso) - start) / unit.ms;
}

/** The unit that a span of time is told in. */
function unitOf(ms: number): { ms: number; name: string } {
  if (ms > 3 * 3_600_000) return { ms: 3_600_000, name: 'hours' };
  if (ms > 3 * 60_000) return { ms: 60_000, name: 'minutes' };
  return { ms: 1000, name: 'seconds' };
}

/** When each job ran, in which slot. */
export function timelineChart({ jobs, slots }: Timeline, start: number): HTMLElement {
  const end = Math.max(...jobs.map(({ ended_at }) => Date.parse(ended_at)));
  const unit = unitOf(end - start);
  const used = Math.max(...jobs.map(({ slot }) => slot));
  const lanes = Math.max(used, Math.min(slots, MAX_LANES));
  const x1 = (job: TimelineJob) => hoursSince(start, job.submitted_at, unit);
  const x2 = (job: TimelineJob) => hoursSince(start, job.ended_at, unit);
  const colour = (job: TimelineJob) => {
    if (job.status !== 'Completed') return 'var(--bad)';
    return job.is_repair ? 'var(--warn)' : 'var(--accent)';
  };
  const laneHeight = Math.max(7, Math.min(22, 420 / lanes));
  const chart = Plot.plot({
    ...SIZE,
    height: 56 + lanes * laneHeight,
    x: { label: `${unit.name} since the run began`, grid: true, domain: [0, (end - start) / unit.ms] },
    y: {
      label: 'job slot',
      domain: Array.from({ length: lanes }, (_, index) => index + 1),
      ticks: Array.from({ length: lanes }, (_, index) => index + 1).filter(
        (slot) => lanes <= 25 || slot % 5 === 0 || slot === 1,
      ),
      padding: 0.25,
    },
    marks: [
      Plot.ruleY(
        Array.from({ length: lanes }, (_, index) => index + 1),
        { stroke: 'var(--line)' },
      ),
      Plot.barX(jobs as TimelineJob[], {
        x1,
        x2,
        y: 'slot',
        fill: colour,
        rx: 2,
        insetTop: 0.5,
        insetLeft: 0.5,
        title: (job: TimelineJob) =>
          `${job.part_id}, wave ${job.wave}${job.is_repair ? ' (sent again)' : ''}: ${count(job.records, 'record')}, ${duration(Date.parse(job.ended_at) - Date.parse(job.submitted_at))}`,
      }),
      ...(jobs.length <= MAX_LABELLED && laneHeight > 12
        ? [
            Plot.text(
              jobs.filter((job) => (x2(job) - x1(job)) / ((end - start) / unit.ms) > 0.03),
              {
                x: (job: TimelineJob) => (x1(job) + x2(job)) / 2,
                y: 'slot',
                text: (job: TimelineJob) => `wave ${job.wave}`,
                fill: 'var(--on-accent)',
                fontSize: 10,
              },
            ),
          ]
        : []),
    ],
  });
  return figure(
    chart,
    `Timeline: ${count(jobs.length, 'job')} in ${used} of ${slots} slots over ${duration(end - start)}. The table below has each job.`,
    timelineLegend(jobs),
  );
}

function timelineLegend(jobs: readonly TimelineJob[]): HTMLElement {
  const key = (name: string, colourName: string) =>
    h('span', { class: 'key' }, h('span', { class: `swatch ${colourName}` }), name);
  return h(
    'div',
    { class: 'legend' },
    key('sent for the first time', 'accent'),
    jobs.some(({ is_repair }) => is_repair) && key('records sent again', 'warn'),
    jobs.some(({ status }) => status !== 'Completed') && key('did not complete', 'bad'),
    h('span', { class: 'muted' }, 'an empty line is a slot that stood idle'),
  );
}

/** Answered rows over time. */
export function progressChart(points: readonly ProgressPoint[], start: number, total: number): HTMLElement {
  const last = points.at(-1);
  const end = last === undefined ? start : Date.parse(last.at);
  const unit = unitOf(end - start);
  const x = (point: ProgressPoint) => hoursSince(start, point.at, unit);
  const chart = Plot.plot({
    ...SIZE,
    height: 220,
    x: { label: `${unit.name} since the run began`, domain: [0, Math.max((end - start) / unit.ms, 0.001)] },
    y: {
      label: 'rows with an answer',
      grid: true,
      domain: [0, Math.max(1, total)],
      tickFormat: (value: number) => compact(value),
    },
    marks: [
      Plot.areaY(points as ProgressPoint[], {
        x,
        y1: 0,
        y2: 'answered',
        curve: 'step-after',
        fill: 'var(--accent)',
        fillOpacity: 0.15,
      }),
      Plot.lineY(points as ProgressPoint[], {
        x,
        y: 'answered',
        curve: 'step-after',
        stroke: 'var(--accent)',
        strokeWidth: 2,
      }),
      Plot.ruleY([total], { stroke: 'var(--muted)', strokeDasharray: '4 4' }),
    ],
  });
  return figure(
    chart,
    `Rows with an answer over time: ${number(last?.answered ?? 0)} of ${number(total)} after ${duration(end - start)}.`,
  );
}

/** How many values are of which size. */
export function sizesChart(sizes: Sizes, what: string): HTMLElement {
  const chart = Plot.plot({
    ...SIZE,
    width: 470,
    height: 200,
    x: {
      label: `${what} (log scale)`,
      type: 'log',
      base: 2,
      tickFormat: (value: number) => compact(value),
      ticks: 6,
    },
    y: { label: 'rows', grid: true, tickFormat: (value: number) => compact(value) },
    marks: [
      Plot.rectY(
        sizes.buckets.filter(({ from }) => from > 0),
        { x1: 'from', x2: 'to', y: 'rows', fill: 'var(--accent)', insetLeft: 0.5, insetRight: 0.5 },
      ),
      Plot.ruleY([0], { stroke: 'var(--muted)' }),
    ],
  });
  return figure(
    chart,
    `${what}: from ${number(sizes.min)} to ${number(sizes.max)}, ${number(sizes.mean)} on average. The table below has the numbers.`,
  );
}

function compact(value: number): string {
  return value.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 });
}
