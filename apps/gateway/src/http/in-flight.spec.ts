import type { McpError } from '@behalf/mcp';
import { InFlight } from './in-flight.js';

const statusOf = (work: () => unknown): number => {
  try {
    work();
    return 200;
  } catch (error) {
    return (error as McpError).status;
  }
};

describe('InFlight', () => {
  it('has so many places, and each again once it was left', () => {
    const places = new InFlight(2);
    const leave = places.enter();
    places.enter();
    expect(statusOf(() => places.enter())).toBe(503);
    leave();
    leave();
    expect(statusOf(() => places.enter())).toBe(200);
    expect(statusOf(() => places.enter())).toBe(503);
  });

  it('lets nobody take the places of everybody', () => {
    const places = new InFlight(8);
    const leave = places.enterAs('alice');
    places.enterAs('alice');
    expect(statusOf(() => places.enterAs('alice'))).toBe(503);
    expect(statusOf(() => places.enterAs('bob'))).toBe(200);
    leave();
    expect(statusOf(() => places.enterAs('alice'))).toBe(200);
  });
});
