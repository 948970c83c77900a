import { RecordConflict, type RecordKind, type RecordStore } from '@behalf/ports';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type BudgetStore, type Expense, budgetWindow } from './budget-store.js';

const spending: RecordKind<{ spent: number }> = {
  name: 'policy-budget',
  schema: z.object({ spent: z.number().nonnegative() }),
};
/** Writers of one counter that collide more often than this are more than it was made for; they are refused. */
const maxAttempts = 20;

/**
 * Counters in the record store, shared by every replica. Each spending is one transaction that fails when another was
 * faster, so nothing is ever spent twice over; what cannot be written is not spent.
 */
export class RecordBudgetStore implements BudgetStore {
  constructor(private readonly records: RecordStore) {}

  async fits(expense: Expense, nowMs: number): Promise<boolean> {
    const found = await this.records.get(spending, recordId(expense, nowMs));
    return (found?.value.spent ?? 0) + expense.amount <= expense.limit;
  }

  async spend(expense: Expense, nowMs: number): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#spendOnce(expense, nowMs);
      } catch (error) {
        if (!(error instanceof RecordConflict)) throw error;
        if (attempt === maxAttempts) return false;
      }
    }
  }

  #spendOnce(expense: Expense, nowMs: number): Promise<boolean> {
    const id = recordId(expense, nowMs);
    return this.records.transaction(async (transaction) => {
      const found = await transaction.get(spending, id);
      const spent = (found?.value.spent ?? 0) + expense.amount;
      if (spent > expense.limit) return false;
      await transaction.put(
        spending,
        id,
        { spent },
        {
          expectedVersion: found?.version ?? 0,
          expiresAtMs: budgetWindow(expense, nowMs).endsAtMs,
        },
      );
      return true;
    });
  }
}

/** Digested, because names of people and tools are of any length. */
function recordId(expense: Expense, nowMs: number): string {
  return createHash('sha256').update(budgetWindow(expense, nowMs).id).digest('hex');
}
