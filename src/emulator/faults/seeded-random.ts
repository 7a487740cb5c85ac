import { hash } from 'node:crypto';

/** A source of numbers in [0, 1) that is the same for the same seed. */
export type Random = () => number;

/** FNV-1a over the UTF-16 units; fast, and good enough to draw lots with. */
export function hash32(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** A number in [0, 1) that belongs to this text. */
export function drawLot(text: string): number {
  return hash32(text) / 2 ** 32;
}

/** The generator mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Shuffles in place (Fisher-Yates) and returns the same array. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    const held = items[index] as T;
    items[index] = items[other] as T;
    items[other] = held;
  }
  return items;
}

/** The first `length` hexadecimal digits of the text's SHA-256. */
export function digestOf(text: string, length = 12): string {
  return hash('sha256', text, 'hex').slice(0, length);
}

/** An identifier of lower-case letters and digits that belongs to this text. */
export function alphanumericId(text: string, length: number): string {
  return BigInt(`0x${hash('sha256', text, 'hex')}`)
    .toString(36)
    .padStart(48, '0')
    .slice(-length);
}
