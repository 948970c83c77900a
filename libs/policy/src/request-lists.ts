import type { Evaluation } from '@behalf/contracts';
import {
  type MappingOptions,
  buildListItem,
  buildSharedRequest,
  typesArguments,
} from './build-cedar-request.js';
import type { ListItem, PolicyEngine, RequestList } from './ports.js';

/** One request as an engine takes it: what it shares with others, and what is its own. */
export interface ListedRequest {
  list: RequestList;
  item: ListItem;
}

interface Shared {
  from: Pick<Evaluation, 'subject' | 'context' | 'action'>;
  version: string | undefined;
  lists: RequestList[];
}

/**
 * The requests of evaluations, one after another. What neighbours share is built and read once: those that hold the very
 * same subject and context, as the items of a batch with defaults do. All are as of one moment.
 */
export class RequestLists {
  #last: Shared | undefined;

  constructor(
    private readonly engine: PolicyEngine,
    private readonly mapping: MappingOptions,
  ) {}

  /**
   * The request of an evaluation, and the same with ever fewer earlier actors: all of them have to be allowed.
   *
   * @throws InvalidEvaluation, PolicyEngineError
   */
  of(evaluation: Evaluation): ListedRequest[] {
    const item = buildListItem(evaluation, this.mapping);
    return this.#listsOf(evaluation).map((list) => ({ list, item }));
  }

  #listsOf(evaluation: Evaluation): RequestList[] {
    const last = this.#last;
    if (last !== undefined && last.version === this.engine.version && isSame(last.from, evaluation))
      return last.lists;
    const { version } = this.engine;
    const lists = chainsToAllow(evaluation).map((chain) =>
      this.engine.list(buildSharedRequest(chain, this.mapping)),
    );
    this.#last = typesArguments(evaluation) ? undefined : { from: evaluation, version, lists };
    return lists;
  }
}

function isSame(from: Shared['from'], evaluation: Evaluation): boolean {
  return (
    from.subject === evaluation.subject &&
    from.context === evaluation.context &&
    from.action.properties === evaluation.action.properties &&
    !typesArguments(evaluation)
  );
}

/** The evaluation itself, then the same with ever fewer earlier actors. */
function chainsToAllow(evaluation: Evaluation): Evaluation[] {
  const seen = areArgumentsOpen(evaluation) ? withoutArguments(evaluation) : evaluation;
  const actors = seen.context?.['actors'];
  if (!Array.isArray(actors) || actors.length < 2) return [seen];
  return actors.map((_, dropped) => ({
    ...seen,
    context: { ...seen.context, actors: actors.slice(0, actors.length - dropped) },
  }));
}

/** A preview that does not say with which arguments: it asks whether there are any that could be permitted. */
export function areArgumentsOpen({ context = {} }: Evaluation): boolean {
  const args = context['arguments'];
  return (
    context['preview'] === true &&
    (args === undefined || args === null || context['arguments_unknown'] === true)
  );
}

/** They are there, and nothing is known of them. */
function withoutArguments(evaluation: Evaluation): Evaluation {
  const { arguments: _, arguments_unknown: _1, ...context } = evaluation.context ?? {};
  return { ...evaluation, context };
}
