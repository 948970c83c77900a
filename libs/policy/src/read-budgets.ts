/** How much may be spent in a window of time, by whom, on what. */
export interface Budget {
  limit: number;
  unit: 'calls' | 'cost';
  windowMs: number;
  /** What counts together: each person by themselves, each agent, each tool, or a combination. */
  per: BudgetSubject[];
}
export type BudgetSubject = 'person' | 'agent' | 'tool' | 'server';

const windows = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const form =
  /^(\d{1,9})(?: (calls|cost))?\/(second|minute|hour|day) per ((?:person|agent|tool|server)(?:\+(?:person|agent|tool|server))*)$/;

/** Reads `10/hour per person` and `500 cost/day per person+tool`, several apart by `;`. Undefined when malformed. */
export function readBudgets(text: string): Budget[] | undefined {
  const budgets = text.split(';').map((part) => {
    const [, limit = '', unit = 'calls', window = '', per = ''] = form.exec(part.trim()) ?? [];
    if (limit === '') return undefined;
    return {
      limit: Number(limit),
      unit: unit as Budget['unit'],
      windowMs: windows[window as keyof typeof windows],
      per: [...new Set(per.split('+'))].sort() as BudgetSubject[],
    };
  });
  return budgets.every((budget) => budget !== undefined) ? budgets : undefined;
}
