/** Why an expression has no value. Cedar skips the policy and reports it; which code it was changes no decision. */
export type EvaluationErrorCode =
  'type_error' | 'overflow' | 'missing_entity' | 'missing_attribute' | 'missing_tag' | 'extension_error';

/**
 * An expression cannot be evaluated. Says no more than its code: a message could quote an argument. Without a stack,
 * whose capture would make requests that err the slowest of all.
 */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  private constructor(readonly code: EvaluationErrorCode) {
    super(code);
    delete this.stack;
  }

  static readonly typeError = new EvaluationError('type_error');
  static readonly overflow = new EvaluationError('overflow');
  static readonly missingEntity = new EvaluationError('missing_entity');
  static readonly missingAttribute = new EvaluationError('missing_attribute');
  static readonly missingTag = new EvaluationError('missing_tag');
  static readonly extensionError = new EvaluationError('extension_error');
}
