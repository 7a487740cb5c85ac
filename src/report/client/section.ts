import { type Child, h } from './dom.ts';

/** A part of the page under its heading. */
export function section(id: string, title: string, ...children: Child[]): HTMLElement {
  return h('section', { 'aria-labelledby': id }, h('h2', { id }, title), children);
}
