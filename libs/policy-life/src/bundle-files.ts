import type { PolicyBundle } from '@behalf/policy';
import { createHash } from 'node:crypto';
import { z } from 'zod';

const schemaFile = 'schema.cedarschema';
const entitiesFile = 'entities.json';
const linksFile = 'links.json';
const maxFiles = 1_000;
const maxTextLength = 1024 * 1024;

/** The files of a bundle, by the names they have in a folder: no folders in names, nothing but what a bundle is made of. */
export const bundleFilesSchema = z
  .array(
    z.object({
      file: z
        .string()
        .regex(/^(?:[A-Za-z0-9][\w.-]{0,100}\.cedar|schema\.cedarschema|(?:entities|links)\.json)$/),
      text: z.string().max(maxTextLength),
    }),
  )
  .min(1)
  .max(maxFiles)
  .refine((files) => new Set(files.map(({ file }) => file)).size === files.length, 'a file is named twice')
  .refine((files) => files.some(({ file }) => file === schemaFile), `${schemaFile} is missing`)
  .refine((files) => files.every(({ text }) => text.isWellFormed()), 'a file is not Unicode text');
export type BundleFile = z.infer<typeof bundleFilesSchema>[number];

/** Names these contents, and is what `loadPolicyBundle` calls a folder with them. */
export function versionOfFiles(files: readonly BundleFile[]): string {
  const sorted = files
    .map(({ file, text }) => [file, text])
    .sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** @throws SyntaxError when entities.json or links.json is not JSON */
export function toBundle(files: readonly BundleFile[]): PolicyBundle {
  const textOf = (name: string) => files.find(({ file }) => file === name)?.text;
  const entities = textOf(entitiesFile);
  const links = textOf(linksFile);
  return {
    version: versionOfFiles(files),
    policies: files
      .filter(({ file }) => file.endsWith('.cedar'))
      .toSorted((one, other) => (one.file < other.file ? -1 : 1)),
    schema: textOf(schemaFile) ?? '',
    ...(entities !== undefined && { entities: JSON.parse(entities) as unknown }),
    ...(links !== undefined && { links: JSON.parse(links) as unknown }),
  };
}

/** The files of a bundle that was read from a folder. Entities and links are spelled anew, which may change the version. */
export function toFiles(bundle: PolicyBundle): BundleFile[] {
  return [
    ...bundle.policies,
    { file: schemaFile, text: bundle.schema },
    ...(bundle.entities === undefined ? [] : [{ file: entitiesFile, text: JSON.stringify(bundle.entities) }]),
    ...(bundle.links === undefined ? [] : [{ file: linksFile, text: JSON.stringify(bundle.links) }]),
  ];
}
