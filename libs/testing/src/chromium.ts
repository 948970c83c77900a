import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess, requireProgram } from '@behalf/local-servers';

const axeSource = (): Promise<string> =>
  readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const endpointLine = /DevTools listening on (ws:\S+)/;

/**
 * A real browser, on a phone's screen and without JavaScript, driven over the DevTools protocol. For what only a browser
 * knows: whether a page can be used, read and seen.
 */
export class Chromium {
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  readonly #loads: (() => void)[] = [];
  #lastId = 0;
  #session: string | undefined;

  private constructor(
    private readonly program: ServerProcess,
    private readonly socket: WebSocket,
    private readonly folder: string,
  ) {
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
  }

  static async start(): Promise<Chromium> {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-chromium-'));
    let endpoint = '';
    const program = new ServerProcess({
      command: requireProgram('chromium'),
      args: [
        '--headless=new',
        '--remote-debugging-port=0',
        `--user-data-dir=${folder}`,
        '--no-first-run',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        // It opens our own pages on this machine only, often as root in a container.
        '--no-sandbox',
        'about:blank',
      ],
      readyLine: endpointLine,
      onLine: (line) => (endpoint ||= endpointLine.exec(line)?.[1] ?? ''),
    });
    await program.start();
    const socket = new WebSocket(endpoint);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    const browser = new Chromium(program, socket, folder);
    await browser.#openPage();
    return browser;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.program.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Opens an address and waits until the page it ends at is there. */
  async open(url: string): Promise<void> {
    const loaded = this.#nextLoad();
    await this.#send('Page.navigate', { url });
    await loaded;
  }

  /** Types into a field as somebody at a keyboard does. */
  async type(selector: string, text: string): Promise<void> {
    await this.click(selector, { leads: false });
    await this.#send('Input.insertText', { text });
  }

  /** Clicks in the middle of an element. It `leads` to another page, which is waited for. */
  async click(selector: string, { leads = true } = {}): Promise<void> {
    const { x, y } = (await this.evaluate(
      `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: 'center' });
         const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`,
    )) as { x: number; y: number };
    const loaded = leads ? this.#nextLoad() : undefined;
    const mouse = { x, y, button: 'left', clickCount: 1 };
    await this.#send('Input.dispatchMouseEvent', { type: 'mousePressed', ...mouse });
    await this.#send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...mouse });
    await loaded;
  }

  /** What a person sees as text. */
  async text(): Promise<string> {
    return String(await this.evaluate('document.body.innerText'));
  }

  async url(): Promise<string> {
    return String(await this.evaluate('location.href'));
  }

  /** The names that a screen reader says, of everything with this role. */
  async accessibleNames(role: string): Promise<string[]> {
    const { nodes } = (await this.#send('Accessibility.getFullAXTree')) as {
      nodes: { role?: { value: string }; name?: { value: string }; ignored: boolean }[];
    };
    return nodes
      .filter((node) => !node.ignored && node.role?.value === role)
      .map((node) => node.name?.value ?? '');
  }

  /** True when nothing reaches beyond the width of the screen. */
  async fitsTheScreen(): Promise<boolean> {
    return Boolean(await this.evaluate('document.documentElement.scrollWidth <= innerWidth'));
  }

  /**
   * What axe finds that WCAG 2.2 AA forbids, and what it takes for good practice, by rule and place. Scripts run meanwhile:
   * axe is one.
   */
  async accessibilityFaults(): Promise<string[]> {
    await this.#send('Emulation.setScriptExecutionDisabled', { value: false });
    await this.evaluate(await axeSource());
    const faults = await this.evaluate(
      `axe.run().then(({ violations }) =>
         violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 100))))`,
    );
    await this.#send('Emulation.setScriptExecutionDisabled', { value: true });
    return faults as string[];
  }

  async screenshot(file: string): Promise<void> {
    const { data } = await this.#send('Page.captureScreenshot', { captureBeyondViewport: true });
    await writeFile(file, Buffer.from(String(data), 'base64'));
  }

  /** Runs in the page, although the page itself can run nothing. A promise is awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    return (result as { value?: unknown }).value;
  }

  async #openPage(): Promise<void> {
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    this.#session = String(sessionId);
    await this.#send('Page.enable');
    await this.#send('Accessibility.enable');
    await this.#send('Emulation.setScriptExecutionDisabled', { value: true });
    const phone = { width: 390, height: 844, deviceScaleFactor: 2, mobile: true };
    await this.#send('Emulation.setDeviceMetricsOverride', phone);
  }

  #nextLoad(): Promise<void> {
    return new Promise((resolve) => this.#loads.push(resolve));
  }

  #send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = (this.#lastId += 1);
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, waiting);
    this.socket.send(
      JSON.stringify({ id, method, params, ...(this.#session && { sessionId: this.#session }) }),
    );
    return waiting.promise;
  }

  #receive(data: string): void {
    const message = JSON.parse(data) as {
      id?: number;
      method?: string;
      result?: Record<string, unknown>;
      error?: { message: string };
    };
    if (message.method === 'Page.loadEventFired') for (const loaded of this.#loads.splice(0)) loaded();
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (!waiting || message.id === undefined) return;
    this.#waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(message.error.message));
    else waiting.resolve(message.result ?? {});
  }
}
