import { type ReadPolicies, readPolicies } from '@behalf/adapter-cedar';
import type { Case } from './random-case.js';

/** The policies and links of a case, as a bundle has them. What Cedar itself does not parse is left out. */
export function readCase({ policies, templates }: Pick<Case, 'policies' | 'templates'>): ReadPolicies {
  const named = (prefix: string, texts: string[]) =>
    texts.map((text, index) => ({ file: prefix, text: `@id("${prefix}${index}") ${text}` }));
  const read = readPolicies({
    version: 'v',
    schema: '',
    policies: [
      ...named('p', policies),
      ...named(
        't',
        templates.map(({ text }) => text),
      ),
    ],
    links: templates.map(({ slots }, index) => ({
      templateId: `t${index}`,
      newId: `link${index}`,
      values: slots,
    })),
  });
  const known = new Set(read.policies.map(({ id }) => id));
  const templateLinks = read.policySet.templateLinks?.filter(({ newId }) => known.has(newId)) ?? [];
  return { ...read, policySet: { ...read.policySet, templateLinks } };
}
