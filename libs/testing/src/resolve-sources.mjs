import { registerHooks } from 'node:module';

/** Lets Node run the TypeScript sources as they are: libraries by their names, `.js` where the file is `.ts`. */
registerHooks({
  resolve(specifier, context, next) {
    const library = /^@behalf\/([^/]+)$/.exec(specifier)?.[1];
    if (library) return next(new URL(`../../${library}/src/index.ts`, import.meta.url).href, context);
    const isOurs = context.parentURL?.endsWith('.ts') && /^\.{1,2}\/.*\.js$/.test(specifier);
    return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});
