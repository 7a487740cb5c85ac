// Nearest neighbours in Postgres with pgvector; with `pg` the statements are the same.
import assert from 'node:assert/strict';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { embed } from './embed.ts';

const sentences = Array.from({ length: 120 }, (_, id) => ({ id, input_text: `Sentence ${id}` }));
const { rows } = await embed(sentences);
const db = await PGlite.create({ extensions: { vector } });
await db.exec('CREATE EXTENSION vector; CREATE TABLE items (id int PRIMARY KEY, embedding vector(256))');
for await (const { id, embedding } of rows) {
  if (embedding === null) continue;
  await db.query('INSERT INTO items VALUES ($1, $2)', [Number(id), JSON.stringify(embedding)]);
}
await db.exec('CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops)');
const nearest = await db.query<{ id: number; distance: number }>(
  `SELECT id, embedding <=> (SELECT embedding FROM items WHERE id = $1) AS distance
   FROM items ORDER BY distance LIMIT 3`,
  [7],
);
assert.equal(nearest.rows.length, 3);
assert.equal(nearest.rows[0]?.id, 7);
assert.ok(Math.abs(Number(nearest.rows[0]?.distance)) < 1e-5);
