import { CedarWasmEngine, loadPolicyBundle } from '@behalf/adapter-cedar';
import { CedarWasmParser } from '@behalf/adapter-cedar-parser';
import { ConditionalEngine, type PolicyProblem } from '@behalf/policy';
import {
  type KnownTool,
  checkCandidate,
  diffBundles,
  parseTable,
  renderDiff,
  runTable,
  toFiles,
} from '@behalf/policy-life';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { UsageError } from '../parse-command.js';
import type { CommandOutcome } from '../command-result.js';

/** Runs every table of a folder: the one that is named, or `tests.yaml` and `*.tests.yaml`. */
export async function testFolder(folder: string, table: string | undefined): Promise<CommandOutcome> {
  const engine = new ConditionalEngine(new CedarWasmEngine(), new CedarWasmEngine(), new CedarWasmParser());
  const problems = engine.load(await loadPolicyBundle(folder)).filter(isError);
  if (problems.length > 0)
    return { data: { problems }, text: problems.map(inOneLine).join('\n'), failed: true };
  const tables = table === undefined ? await tablesOf(folder) : [table];
  if (tables.length === 0) throw new UsageError(`there is no tests.yaml in ${folder}`);
  let [passed, failed] = [0, 0];
  const results = [];
  for (const file of tables) {
    const report = await runTable(parseTable(parse(await readFile(file, 'utf8'))), engine);
    passed += report.passed;
    failed += report.failed;
    results.push(...report.results.map((result) => ({ table: file, ...result })));
  }
  const faults = results
    .filter((result) => !result.passed)
    .map(
      ({ title, expected, actual }) =>
        `not ok  ${title}\n        expected ${expected}\n        got      ${actual}`,
    );
  return {
    data: { passed, failed, results },
    text: [...faults, `${passed} passed, ${failed} failed`].join('\n'),
    failed: failed > 0,
  };
}

/** Validation and lint. Fails on errors; warnings are only told. */
export async function lintFolder(folder: string, tools: string[]): Promise<CommandOutcome> {
  const bundle = await loadPolicyBundle(folder);
  const { problems } = checkCandidate(toFiles(bundle), {
    parser: new CedarWasmParser(),
    tools: tools.map(knownTool),
  });
  const text = problems.length === 0 ? 'nothing to say' : problems.map(inOneLine).join('\n');
  return { data: { version: bundle.version, problems }, text, failed: problems.some(isError) };
}

export async function diffFolders(before: string, after: string): Promise<CommandOutcome> {
  const diff = diffBundles(
    await loadPolicyBundle(before),
    await loadPolicyBundle(after),
    new CedarWasmParser(),
  );
  return { data: diff, text: renderDiff(diff), failed: false };
}

export function inOneLine({ severity, file, policy, reason }: PolicyProblem): string {
  return [severity, file, policy, reason].filter((part) => part !== undefined).join(': ');
}

async function tablesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name === 'tests.yaml' || name.endsWith('.tests.yaml'))
    .sort()
    .map((name) => join(folder, name));
}

function knownTool(text: string): KnownTool {
  const slash = text.indexOf('/');
  if (slash <= 0) throw new UsageError('--tool takes server/name');
  return { server: text.slice(0, slash), name: text.slice(slash + 1) };
}

function isError({ severity }: PolicyProblem): boolean {
  return severity === 'error';
}
