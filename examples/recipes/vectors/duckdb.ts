// Nearest neighbours in DuckDB, from the run's own files.
import assert from 'node:assert/strict';
import { DuckDBInstance, listValue } from '@duckdb/node-api';
import { embed } from './embed.ts';

const sentences = Array.from({ length: 120 }, (_, id) => ({ id, input_text: `Sentence ${id}` }));
const { files } = await embed(sentences);
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(
  `CREATE TABLE items AS SELECT CAST(id AS INTEGER) AS id, CAST(embedding AS FLOAT[256]) AS embedding
   FROM read_parquet($files) WHERE embedding IS NOT NULL`,
  { files: listValue(files) },
);
try {
  // An index for millions of rows, by DuckDB's vss extension; without it the same query reads every row.
  await db.run('INSTALL vss; LOAD vss');
  await db.run("CREATE INDEX nearest ON items USING HNSW (embedding) WITH (metric = 'cosine')");
} catch (error) {
  console.error(`Without an index: ${(error as Error).message}`);
}
const reader =
  await db.runAndReadAll(`SELECT other.id, array_cosine_distance(other.embedding, it.embedding) AS distance
  FROM items AS it, items AS other WHERE it.id = 7 ORDER BY distance LIMIT 3`);
const nearest = reader.getRowObjectsJS();
assert.equal(nearest.length, 3);
assert.equal(nearest[0]?.id, 7);
assert.ok(Math.abs(Number(nearest[0]?.distance)) < 1e-5);
