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
const maxWindowMs = 366 * windows.day;
const form =
  /^(\d{1,9})(?: (calls|cost))?\/(?:(second|minute|hour|day)|(\d{1,5}) (second|minute|hour|day)s) per ((?:person|agent|tool|server)(?:\+(?:person|agent|tool|server))*)$/;

/**
 * Reads `10/hour per person`, `100/15 minutes per agent` and `500 cost/7 days per person+tool`, several apart by `;`.
 * Undefined when malformed.
 */
export function readBudgets(text: string): Budget[] | undefined {
  const budgets = text.split(';').map((part) => {
    const [, limit = '', unit = 'calls', one, count = '1', many, per = ''] = form.exec(part.trim()) ?? [];
    if (limit === '') return undefined;
    const windowMs = Number(count) * windows[(one ?? many) as keyof typeof windows];
    if (windowMs === 0 || windowMs > maxWindowMs) return undefined;
    return {
      limit: Number(limit),
      unit: unit as Budget['unit'],
      windowMs,
      per: [...new Set(per.split('+'))].sort() as BudgetSubject[],
    };
  });
  return budgets.every((budget) => budget !== undefined) ? budgets : undefined;
}
