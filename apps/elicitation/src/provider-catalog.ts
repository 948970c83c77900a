import type { ElicitedProvider } from '@behalf/elicitation';
import { canonicalResource } from '@behalf/oauth';
import type { Provider } from '@behalf/third-party';

/** The configured third parties, by id and by any spelling of their resources. */
export class ProviderCatalog {
  readonly #byId: ReadonlyMap<string, Provider>;
  readonly #byResource: ReadonlyMap<string, Provider>;

  constructor(providers: readonly Provider[]) {
    this.#byId = new Map(providers.map((provider) => [provider.id, provider]));
    this.#byResource = new Map(
      providers.flatMap((provider) =>
        provider.resources.map((resource): [string, Provider] => [canonicalResource(resource), provider]),
      ),
    );
  }

  find(id: string): Provider | undefined {
    return this.#byId.get(id);
  }

  get all(): Provider[] {
    return [...this.#byId.values()];
  }

  idsOf(kind: Provider['kind']): string[] {
    return this.all.filter((provider) => provider.kind === kind).map(({ id }) => id);
  }

  findByResource(resource: string): ElicitedProvider | undefined {
    return this.#byResource.get(canonicalResource(resource));
  }
}
