import { OAuthError } from '@behalf/oauth';
import { setTimeout } from 'node:timers/promises';

const attempts = 5;
const pauseMs = 1_000;

/**
 * Starts something again whose start failed because a server could not be reached: it may be starting as well. Gives up
 * after five attempts; every other failure is one at once.
 */
export async function whenAvailable<T>(start: () => Promise<T>, waitMs: number = pauseMs): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      const mayPass = error instanceof OAuthError && error.code === 'temporarily_unavailable';
      if (!mayPass || attempt === attempts) throw error;
      await setTimeout(waitMs * attempt * (0.5 + Math.random()));
    }
  }
}
