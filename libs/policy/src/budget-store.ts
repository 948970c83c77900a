/** Spending that has to fit a limit within a window of time. Windows are fixed and begin at multiples of their length. */
export interface Expense {
  /** What is counted together. */
  key: string;
  amount: number;
  limit: number;
  windowMs: number;
}

export interface BudgetStore {
  /** True when the expense would fit now. Spends nothing, promises nothing. */
  fits(expense: Expense, nowMs: number): Promise<boolean>;
  /** Spends, or does not: of any number of concurrent callers no more than fit succeed. */
  spend(expense: Expense, nowMs: number): Promise<boolean>;
}

/** Name of the window that a moment is in. Two windows of one key never share a counter. */
export function budgetWindow({ key, windowMs }: Expense, nowMs: number): { id: string; endsAtMs: number } {
  const start = Math.floor(nowMs / windowMs) * windowMs;
  return { id: JSON.stringify([key, windowMs, start]), endsAtMs: start + windowMs };
}

/** Counters in this process: for tests, and for tables of policies. */
export class MemoryBudgetStore implements BudgetStore {
  readonly #spent = new Map<string, number>();

  async fits(expense: Expense, nowMs: number): Promise<boolean> {
    return this.#spentOn(expense, nowMs) + expense.amount <= expense.limit;
  }

  async spend(expense: Expense, nowMs: number): Promise<boolean> {
    const total = this.#spentOn(expense, nowMs) + expense.amount;
    if (total > expense.limit) return false;
    this.#spent.set(budgetWindow(expense, nowMs).id, total);
    return true;
  }

  #spentOn(expense: Expense, nowMs: number): number {
    return this.#spent.get(budgetWindow(expense, nowMs).id) ?? 0;
  }
}
