import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyBundle } from '@behalf/policy';

const schemaFile = 'schema.cedarschema';
const entitiesFile = 'entities.json';
const linksFile = 'links.json';
const otherFiles = new Set([schemaFile, entitiesFile, linksFile]);

/** A folder that cannot be read as a bundle at all. Says nothing about its policies. */
export class PolicyBundleUnreadable extends Error {
  override readonly name = 'PolicyBundleUnreadable';
  constructor(
    readonly file: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${reason}`, options);
  }
}

/**
 * Reads a folder as a policy bundle: `schema.cedarschema`, every `*.cedar` beside it, and `entities.json` and
 * `links.json` if there are any. Folders inside it are not read. The version is the SHA-256 of the names and contents, so two bundles with one
 * version decide alike wherever they were read.
 *
 * Does not check policies, schema or entities.
 *
 * @throws PolicyBundleUnreadable
 */
export async function loadPolicyBundle(folder: string): Promise<PolicyBundle> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new PolicyBundleUnreadable(folder, 'the folder cannot be read', { cause });
  });
  const wanted = names.filter((name) => name.endsWith('.cedar') || otherFiles.has(name));
  const files = await Promise.all(
    wanted.sort().map(async (file) => ({ file, text: await readText(folder, file) })),
  );
  const schema = files.find((one) => one.file === schemaFile);
  if (schema === undefined) throw new PolicyBundleUnreadable(schemaFile, 'is missing');
  const entities = files.find((one) => one.file === entitiesFile);
  const links = files.find((one) => one.file === linksFile);
  return {
    version: versionOf(files),
    policies: files.filter((one) => one.file.endsWith('.cedar')),
    schema: schema.text,
    ...(entities && { entities: parseJson(entities) }),
    ...(links && { links: parseJson(links) }),
  };
}

async function readText(folder: string, file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(join(folder, file)));
  } catch (cause) {
    throw new PolicyBundleUnreadable(file, 'cannot be read as UTF-8 text', { cause });
  }
}

function parseJson({ file, text }: { file: string; text: string }): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PolicyBundleUnreadable(file, 'is not JSON', { cause });
  }
}

/** JSON keeps the borders between names and contents apart: moving text from one file to the next is a new version. */
function versionOf(files: { file: string; text: string }[]): string {
  return createHash('sha256')
    .update(JSON.stringify(files.map(({ file, text }) => [file, text])))
    .digest('hex');
}
