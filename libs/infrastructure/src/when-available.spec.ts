import { OAuthError } from '@behalf/oauth';
import { whenAvailable } from './when-available.js';

const away = (): Error => new OAuthError('temporarily_unavailable', 'the database cannot be reached');

it('starts again what could not reach a server, and gives up after five attempts', async () => {
  let starts = 0;
  const fails =
    (times: number, error = away()) =>
    async () => {
      starts += 1;
      if (starts <= times) throw error;
      return 'started';
    };
  await expect(whenAvailable(fails(4), 0)).resolves.toBe('started');
  starts = 0;
  await expect(whenAvailable(fails(5), 0)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  starts = 0;
  await expect(whenAvailable(fails(1, new Error('the port is taken')), 0)).rejects.toThrow(
    'the port is taken',
  );
  expect(starts).toBe(1);
});
