import { z } from 'zod';
import type { Concern, GivenFields, Refuse } from './concern.ts';

const Columns = z.array(z.string().min(1)).min(1);

const fields = {
  image_columns: Columns.meta({
    description:
      'Columns with one image each, which the model sees before the prompt: paths below `files_folder`, `s3://` URIs, `https://` addresses with `fetch`, or the bytes themselves (Parquet BLOB, Hugging Face images).',
  }),
  document_columns: Columns.meta({
    description: 'Columns with one PDF each, in the same ways.',
  }),
  files_folder: z.string().min(1).meta({
    description:
      'Folder that relative paths of images and documents start from, and do not leave: one of this machine, or `s3://bucket/prefix/`. Default: the folder that the dataset’s files are in.',
  }),
  fetch: z.boolean().meta({
    description: 'Fetch images and documents that are `https://` addresses. Default false.',
  }),
};

/** What a row shows the model beside its text. */
export const MEDIA_INPUT = {
  title: 'Images and documents',
  about: 'What a row shows the model beside its text ([media.md](media.md)).',
  fields,
  check(given: GivenFields<typeof fields>, refuse: Refuse) {
    const { image_columns: images, document_columns: documents } = given;
    const columns = [images, documents].flatMap((list) => (Array.isArray(list) ? list : []));
    const twice = columns.find((name, index) => columns.indexOf(name) !== index);
    if (twice !== undefined) {
      refuse(
        images?.includes(twice) === true ? 'image_columns' : 'document_columns',
        `"${twice}" is named twice`,
      );
    }
    for (const key of ['files_folder', 'fetch'] as const) {
      if (given[key] !== undefined && images === undefined && documents === undefined) {
        refuse(key, 'goes with image_columns or document_columns');
      }
    }
  },
} satisfies Concern;
