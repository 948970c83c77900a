import { serverCheck } from './server-check.js';

describe('serverCheck', () => {
  it('asks once, however many want to know', async () => {
    let asked = 0;
    const check = serverCheck(async () => void asked++);
    const answers = await Promise.all(Array.from({ length: 50 }, () => check()));
    expect([...new Set(answers), await check(), asked]).toEqual([true, true, 1]);
  });

  it('says in time that one which hangs is away, does not ask it twice, and says when it is back', async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = serverCheck(() => {
      asked++;
      return promise;
    });
    expect(await check()).toBe(false);
    expect([await check(), asked]).toEqual([false, 1]);
    resolve();
    expect(await until(check)).toBe(true);
  });

  it('says that one which refuses is away', async () => {
    expect(await serverCheck(() => Promise.reject(new Error('postgres://user:secret@host')))()).toBe(false);
  });
});

/** What is known is kept for a second. */
async function until(check: () => Promise<boolean>): Promise<boolean> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 50));
  return true;
}
