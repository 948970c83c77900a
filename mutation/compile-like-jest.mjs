import { existsSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const compiled = new Map();
/** Part of every address: a module with another one is another module. */
let loading = 0;

/** What is imported from here on is evaluated once more, whatever was before. */
export function loadAnew() {
  loading += 1;
}

/** Imports TypeScript under `root` as Jest does: the same compiler and options, the same names for libraries. */
export async function compileLikeJest(root) {
  if (compiled.size > 0) return;
  const { default: jestConfig } = await import(pathToFileURL(join(root, 'jest.config.mjs')).href);
  const [[, options]] = Object.values(jestConfig.transform);
  const { transformSync } = createRequire(join(root, 'package.json'))('@swc/core');
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const library = /^@behalf\/([^/]+)$/.exec(specifier)?.[1];
      if (library) return found(pathToFileURL(join(root, `libs/${library}/src/index.ts`)));
      if (/^(\.{1,2}\/|file:).*\.[jt]s$/.test(specifier)) {
        const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
        if (!url.pathname.includes('/node_modules/') && existsSync(url)) return found(url);
      }
      return nextResolve(specifier, context);
    },
    load(address, context, nextLoad) {
      const url = address.replace(/\?.*$/, '');
      if (!url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(address, context);
      if (!compiled.has(url)) {
        const filename = fileURLToPath(url);
        const source = readFileSync(filename, 'utf8');
        compiled.set(url, transformSync(source, { ...options, filename, swcrc: false }).code);
      }
      return { format: 'module', source: compiled.get(url), shortCircuit: true };
    },
  });
}

function found(url) {
  url.search = `?${loading}`;
  return { url: url.href, format: 'module', shortCircuit: true };
}
