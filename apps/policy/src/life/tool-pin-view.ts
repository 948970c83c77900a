import { toolPinsChanged } from '@behalf/contracts';
import { toolPinId, toolPins } from '@behalf/policy';
import type { Bus, RecordStore, Subscription } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { OnApplicationShutdown } from '@nestjs/common';

const recheckMs = 15_000;
const pageSize = 500;

/** Every pinned tool, in memory, since each call asks. Loaded before the first decision. */
export class ToolPinView implements OnApplicationShutdown {
  #hashes: ReadonlyMap<string, string> = new Map();
  #following: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(private readonly records: RecordStore) {}

  /** @throws whatever keeps the pins from being read: without them changed tools would pass */
  static async open(records: RecordStore, bus: Bus, logger: Logger): Promise<ToolPinView> {
    const view = new ToolPinView(records);
    const reload = () =>
      view.reload().catch((err: unknown) => logger.error({ err }, 'tool pins could not be read'));
    view.#following = bus.subscribe(toolPinsChanged, reload);
    await view.reload();
    view.#timer = setInterval(() => void reload(), recheckMs).unref();
    return view;
  }

  readonly pinOf = (server: string, tool: string): string | undefined =>
    this.#hashes.get(toolPinId(server, tool));

  async reload(): Promise<void> {
    const hashes = new Map<string, string>();
    let page;
    let afterId = '';
    do {
      page = await this.records.list(toolPins, { afterId, limit: pageSize });
      for (const { id, value } of page) hashes.set((afterId = id), value.hash);
    } while (page.length === pageSize);
    this.#hashes = hashes;
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#following?.drain();
  }
}
