import { type LogSource, type Tile, formatTilePath } from '@behalf/audit';
import { AdminClient, type AdminOptions, AdminRefused, adminOptions } from '../admin-client.js';

/** Where the log is, and which scope the token for it is to have. */
export const logOptions = { ...adminOptions, scope: { type: 'string' } } as const;

/** The log of an authorization server. A token that has expired is replaced, once. */
export class HttpLog implements LogSource {
  #admin: Promise<AdminClient> | undefined;

  constructor(
    private readonly options: AdminOptions & { scope?: string | undefined },
    private readonly environment: Record<string, string | undefined>,
  ) {}

  async checkpoint(): Promise<string> {
    return (await this.#read('/audit/checkpoint')).toString('utf8');
  }

  tile(tile: Tile): Promise<Uint8Array> {
    return this.#read(`/audit/${formatTilePath(tile)}`);
  }

  async #read(path: string): Promise<Buffer> {
    try {
      return await (await this.#open()).read(path);
    } catch (error) {
      if (!(error instanceof AdminRefused && error.status === 401)) throw error;
      this.#admin = undefined;
      return (await this.#open()).read(path);
    }
  }

  async #open(): Promise<AdminClient> {
    const { scope, ...options } = this.options;
    this.#admin ??= AdminClient.open(options, this.environment, scope);
    try {
      return await this.#admin;
    } catch (error) {
      this.#admin = undefined;
      throw error;
    }
  }
}
