import { readFile } from 'node:fs/promises';
import { TestEnvironment } from 'jest-environment-node';

const programs = [
  '@electric-sql/pglite/dist/pglite.wasm',
  '@electric-sql/pglite/dist/initdb.wasm',
  '@cedar-policy/cedar-wasm/nodejs/cedar_wasm_bg.wasm',
];

/**
 * Compiled once for all suites of a process, and held. A process that takes up and lets go of the code of PostgreSQL
 * again and again is now and then ended by V8 ("Check failed: jit_page.has_value()", nodejs/node#64500).
 */
export const held = await Promise.all(
  programs.map(async (name) =>
    WebAssembly.compile(await readFile(new URL(`node_modules/${name}`, import.meta.url))),
  ),
);

export default TestEnvironment;
