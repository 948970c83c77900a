import { timeLeftMs } from '@behalf/ports';
import { answerWithin } from './answer-within.js';

const call = (deadline: Date | number) => ({ getDeadline: () => deadline });
const left = async (): Promise<number> => timeLeftMs();

it('gives a call the time that a request may take', async () => {
  const leftMs = await answerWithin(10_000, call(Infinity), left);
  expect(leftMs).toBeGreaterThan(5_000);
  expect(leftMs).toBeLessThanOrEqual(10_000);
});

it('gives a call no more than its caller waits', async () => {
  const soon = new Date(Date.now() + 60_000);
  expect(await answerWithin(3_600_000, call(soon), left)).toBeLessThanOrEqual(60_000);
  expect(await answerWithin(10_000, call(soon), left)).toBeLessThanOrEqual(10_000);
  expect(await answerWithin(10_000, call(Date.now() - 1), left)).toBeLessThan(0);
});

it('refuses a call whose work does not come to its next step', async () => {
  const never = new Promise<never>(() => {});
  await expect(answerWithin(-1_500, call(Infinity), () => never)).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    status: 503,
  });
});

it('lets a failure of the work through', async () => {
  const failing = answerWithin(10_000, call(Infinity), () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
});
